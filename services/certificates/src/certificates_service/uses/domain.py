"""Uses of a licence 用证: who looked, what for, on what ground. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from service_common.contracts.certificates import UseMode


class Purpose(StrEnum):
    """What a licence is looked at for 申请事由."""

    SHOWN_BY_HOLDER = "SHOWN_BY_HOLDER"
    CHECK = "CHECK"
    PREFILL = "PREFILL"
    MATERIAL_WAIVER = "MATERIAL_WAIVER"
    REVIEW = "REVIEW"
    INSTANT_APPROVAL = "INSTANT_APPROVAL"


@dataclass(frozen=True, slots=True)
class Ground:
    """A purpose for people, and what allows it."""

    label: str
    legal_basis: str


_ONLINE_SERVICES = "国务院关于在线政务服务的若干规定（国令第716号）"
_SHARING = "政务数据共享条例（国令第809号）"

GROUNDS = {
    Purpose.SHOWN_BY_HOLDER: Ground("持证主体亮证", "持证主体出示"),
    Purpose.CHECK: Ground("核验证照", _ONLINE_SERVICES),
    Purpose.PREFILL: Ground("办事表单预填", _SHARING),
    Purpose.MATERIAL_WAIVER: Ground("免提交证照材料", _ONLINE_SERVICES),
    Purpose.REVIEW: Ground("办件审查", _ONLINE_SERVICES),
    Purpose.INSTANT_APPROVAL: Ground("秒批自动核验", _ONLINE_SERVICES),
}

FETCH_PURPOSES = frozenset(
    {Purpose.PREFILL, Purpose.MATERIAL_WAIVER, Purpose.REVIEW, Purpose.INSTANT_APPROVAL}
)
"""Those for which surface data leaves the library: each belongs to a case or application of the holder."""

MODE_LABELS = {UseMode.PRESENTED: "亮证", UseMode.VERIFIED: "核验", UseMode.FETCHED: "调用照面数据"}


@dataclass(frozen=True, slots=True)
class Use:
    """One look at a licence, to be remembered. ``shown_by``: who held up the code, the holder or an agent."""

    mode: UseMode
    purpose: Purpose
    about_id: UUID | None = None
    fields: Sequence[str] = ()
    shown_by: UUID | None = None
