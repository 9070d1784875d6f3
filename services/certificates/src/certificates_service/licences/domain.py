"""The life of a licence: states, grounds in law, validity in days of Asia/Shanghai. Pure.

Sources: 行政许可法 (2019) art. 69 (撤销), 70 (注销); 行政处罚法 (2021) art. 9 (暂扣, 吊销); GB/T 36904 (versions).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from uuid import UUID

from certificates_service.types.domain import (
    IssuingDepartment,
    TypeDefinition,
    ValidityRule,
    check_surface,
)
from gov_rules.divisions import is_within
from service_common.contracts.acceptance import HolderKind
from service_common.contracts.certificates import LicenceStatus
from service_common.errors import Conflict, FieldProblem, Forbidden, Invalid, NotFound

MOST_IN_A_BATCH = 500

STATUS_LABELS = {
    LicenceStatus.NORMAL: "正常",
    LicenceStatus.SUSPENDED: "暂扣",
    LicenceStatus.REVOKED: "撤销",
    LicenceStatus.WITHDRAWN: "吊销",
    LicenceStatus.CANCELLED: "注销",
    LicenceStatus.EXPIRED: "过期",
    LicenceStatus.SUPERSEDED: "已换发",
}

LIVING = frozenset({LicenceStatus.NORMAL, LicenceStatus.SUSPENDED})


MATTERS = "certificates"
"""How delegations name licences here: ``certificates:<licence type code>``."""


class Action(StrEnum):
    """What can be done to a licence."""

    SUSPEND = "SUSPEND"
    RESUME = "RESUME"
    REVOKE = "REVOKE"
    WITHDRAW = "WITHDRAW"
    CANCEL = "CANCEL"
    EXPIRE = "EXPIRE"
    SUPERSEDE = "SUPERSEDE"


_ENDS = {
    Action.REVOKE: LicenceStatus.REVOKED,
    Action.WITHDRAW: LicenceStatus.WITHDRAWN,
    Action.CANCEL: LicenceStatus.CANCELLED,
    Action.EXPIRE: LicenceStatus.EXPIRED,
}

TRANSITIONS: Mapping[LicenceStatus, Mapping[Action, LicenceStatus]] = {
    LicenceStatus.NORMAL: {
        **_ENDS,
        Action.SUSPEND: LicenceStatus.SUSPENDED,
        Action.SUPERSEDE: LicenceStatus.SUPERSEDED,
    },
    LicenceStatus.SUSPENDED: {**_ENDS, Action.RESUME: LicenceStatus.NORMAL},
}
"""Whoever is not a key is final: a correction is a new version, never a return."""


class Reason(StrEnum):
    """Why the status changes, as the law names it."""

    PENALTY_SUSPENSION = "PENALTY_SUSPENSION"
    SUSPENSION_BY_OTHER_LAW = "SUSPENSION_BY_OTHER_LAW"
    SUSPENSION_SERVED = "SUSPENSION_SERVED"
    SUSPENSION_SET_ASIDE = "SUSPENSION_SET_ASIDE"
    ABUSE_OF_OFFICE = "ABUSE_OF_OFFICE"
    BEYOND_POWERS = "BEYOND_POWERS"
    PROCEDURE_VIOLATED = "PROCEDURE_VIOLATED"
    NOT_ELIGIBLE = "NOT_ELIGIBLE"
    OTHERWISE_REVOCABLE = "OTHERWISE_REVOCABLE"
    OBTAINED_BY_DECEIT = "OBTAINED_BY_DECEIT"
    PENALTY_WITHDRAWAL = "PENALTY_WITHDRAWAL"
    HOLDER_DIED_OR_INCAPABLE = "HOLDER_DIED_OR_INCAPABLE"
    ORGANISATION_DISSOLVED = "ORGANISATION_DISSOLVED"
    FORCE_MAJEURE = "FORCE_MAJEURE"
    CANCELLED_BY_OTHER_LAW = "CANCELLED_BY_OTHER_LAW"


@dataclass(frozen=True, slots=True)
class Ground:
    """What a reason allows, and its article; None: the issuer has to name the law."""

    action: Action
    legal_basis: str | None


GROUNDS: Mapping[Reason, Ground] = {
    Reason.PENALTY_SUSPENSION: Ground(Action.SUSPEND, "行政处罚法第九条第（三）项"),
    Reason.SUSPENSION_BY_OTHER_LAW: Ground(Action.SUSPEND, None),
    Reason.SUSPENSION_SERVED: Ground(Action.RESUME, "行政处罚法第九条第（三）项"),
    Reason.SUSPENSION_SET_ASIDE: Ground(Action.RESUME, None),
    Reason.ABUSE_OF_OFFICE: Ground(Action.REVOKE, "行政许可法第六十九条第一款第（一）项"),
    Reason.BEYOND_POWERS: Ground(Action.REVOKE, "行政许可法第六十九条第一款第（二）项"),
    Reason.PROCEDURE_VIOLATED: Ground(Action.REVOKE, "行政许可法第六十九条第一款第（三）项"),
    Reason.NOT_ELIGIBLE: Ground(Action.REVOKE, "行政许可法第六十九条第一款第（四）项"),
    Reason.OTHERWISE_REVOCABLE: Ground(Action.REVOKE, None),
    Reason.OBTAINED_BY_DECEIT: Ground(Action.REVOKE, "行政许可法第六十九条第二款"),
    Reason.PENALTY_WITHDRAWAL: Ground(Action.WITHDRAW, "行政处罚法第九条第（三）项"),
    # Art. 70 (1) expiry and (4) revocation are states of their own here.
    Reason.HOLDER_DIED_OR_INCAPABLE: Ground(Action.CANCEL, "行政许可法第七十条第（二）项"),
    Reason.ORGANISATION_DISSOLVED: Ground(Action.CANCEL, "行政许可法第七十条第（三）项"),
    Reason.FORCE_MAJEURE: Ground(Action.CANCEL, "行政许可法第七十条第（五）项"),
    Reason.CANCELLED_BY_OTHER_LAW: Ground(Action.CANCEL, None),
}


class NoSuchLicence(NotFound):
    """No licence of this id or identifier, or not one that the caller may know of."""

    code = "no_such_licence"
    zh = "没有找到该证照。"
    en = "There is no such licence."


class ActionNotPossible(Conflict):
    """The status has no such edge."""

    code = "licence_action_not_possible"
    zh = "证照当前状态为“{label}”，不能进行此操作。"
    en = "The licence is {status}: this cannot be done."

    def __init__(self, status: LicenceStatus) -> None:
        super().__init__(status=status.value, label=STATUS_LABELS[status])


class WrongGround(Invalid):
    """The reason does not carry this action, or lacks its law."""

    code = "wrong_ground"
    zh = "所选理由不能作为此操作的依据。"
    en = "The reason is no ground for this action."


class NotTheIssuer(Forbidden):
    """Departments speak for themselves only."""

    code = "not_the_issuer"
    zh = "只有发证机关本部门可以进行此操作。"
    en = "Only the issuing department itself can do this."


class IssuerNotPermitted(Forbidden):
    """The type is not for this department to issue: `errors` names the rows."""

    code = "issuer_not_permitted"
    zh = "该部门不是此类证照的颁发机关。"
    en = "The department is not competent to issue this type of licence."


class SuperiorOnlyRevokes(Forbidden):
    """行政许可法 art. 69 lets the superior revoke; a penalty or a cancellation is the issuer's own act."""

    code = "superior_only_revokes"
    zh = "上级机关只能撤销下级机关颁发的证照，其他处理由颁发机关作出。"
    en = "A superior can revoke what was granted below it; anything else is for the issuing department."


class IssuerNotKnown(Conflict):
    """Identity has not told us of it (yet), or it is closed."""

    code = "issuer_not_known"
    zh = "发证机关尚未同步或已停用，请稍后重试。"
    en = "The issuing department is not known here yet, or is closed: retry later."


class CaseHasLicence(Conflict):
    """One case, one licence."""

    code = "case_has_licence"
    zh = "该办件已经签发过内容不同的证照。"
    en = "A different licence was issued for this case already."


class CannotIssue(Invalid):
    """What was sent is no licence of the type."""

    code = "cannot_issue"
    zh = "证照内容不符合要求，未签发，请按 errors 修改。"
    en = "The content breaks a rule of the type; nothing was issued. See `errors`."


def next_status(status: LicenceStatus, action: Action) -> LicenceStatus:
    """Raises: ActionNotPossible."""
    try:
        return TRANSITIONS[status][action]
    except KeyError:
        raise ActionNotPossible(status) from None


def effective_status(status: LicenceStatus, valid_until: date | None, today: date) -> LicenceStatus:
    """The status on a day: the end of validity takes effect at once, before any job writes it down."""
    if status in LIVING and valid_until is not None and today > valid_until:
        return LicenceStatus.EXPIRED
    return status


def is_valid_on(status: LicenceStatus, valid_from: date, valid_until: date | None, today: date) -> bool:
    """Whether a licence can be relied on that day. ``valid_until`` is its last day."""
    return effective_status(status, valid_until, today) is LicenceStatus.NORMAL and valid_from <= today


def legal_basis(action: Action, reason: Reason, cited: str | None) -> str:
    """The article that a change rests on. Raises: WrongGround."""
    ground = GROUNDS[reason]
    if ground.action is not action:
        raise WrongGround(
            fields=[
                FieldProblem(
                    "/reason", "other_action", "该理由用于其他操作。", f"It is a ground to {ground.action}."
                )
            ]
        )
    basis = ground.legal_basis or cited
    if basis is None:
        raise WrongGround(
            fields=[
                FieldProblem(
                    "/legal_basis", "missing", "此理由须写明法律依据。", "Name the law and its article."
                )
            ]
        )
    return basis


class Standing(StrEnum):
    """What a department is to the one that issued a licence."""

    ISSUER = "ISSUER"
    SUCCESSOR = "SUCCESSOR"
    SUPERIOR = "SUPERIOR"


def standing_towards(department: IssuingDepartment, issuer: IssuingDepartment) -> Standing | None:
    """A closed department's work goes to the one of its kind in its division; superiors are of its kind, further up."""
    if department.id == issuer.id:
        return Standing.ISSUER
    if not department.active or department.kind is None or department.kind != issuer.kind:
        return None
    if department.division == issuer.division:
        return None if issuer.active else Standing.SUCCESSOR
    return Standing.SUPERIOR if is_within(issuer.division, department.division) else None


def need_power(standing: Standing | None, action: Action) -> None:
    """Whether a department of this standing may decide so. Raises: NoSuchLicence, SuperiorOnlyRevokes."""
    if standing is None:
        raise NoSuchLicence
    if standing is Standing.SUPERIOR and action is not Action.REVOKE:
        raise SuperiorOnlyRevokes


def may_issue(caller_type: str, caller_department: UUID | None, issuer: UUID) -> bool:
    """A department issues for itself; a service of the platform carries out what a department has decided."""
    is_platform_service = caller_type == "client" and caller_department is None
    return is_platform_service or caller_department == issuer


@dataclass(frozen=True, slots=True)
class Content:
    """What a licence, or a new version of one, says."""

    surface: Mapping[str, str]
    valid_from: date
    valid_until: date | None
    number: str | None = None


def check_content(definition: TypeDefinition, content: Content, today: date) -> Iterator[FieldProblem]:
    """Surface by the type's fields, dates by its validity rule."""
    yield from check_surface(definition.surface_fields, content.surface)
    last = end_of_validity(definition, content)
    if content.valid_until is not None and definition.validity.rule is ValidityRule.LONG_TERM:
        yield FieldProblem(
            "/valid_until",
            "long_term_type",
            "该类证照长期有效，不填截止日期。",
            "Licences of this type have no end.",
        )
    if content.valid_until is not None and last is not None and content.valid_until > last:
        yield FieldProblem(
            "/valid_until", "too_long", f"有效期最长至 {last}。", f"Validity ends on {last} at the latest."
        )
    if last is not None and last < content.valid_from:
        yield FieldProblem(
            "/valid_until", "before_start", "截止日期早于起始日期。", "It ends before it begins."
        )
    elif last is not None and last < today:
        yield FieldProblem("/valid_until", "over", "有效期已过。", "Its validity is over.")


def end_of_validity(definition: TypeDefinition, content: Content) -> date | None:
    """The last day: by the type's years unless the issuer sets an earlier one; None is long-term 长期."""
    if definition.validity.rule is not ValidityRule.YEARS:
        return content.valid_until
    longest = _years_later(content.valid_from, definition.validity.years or 0) - timedelta(days=1)
    return min(longest, content.valid_until or longest)


def _years_later(day: date, years: int) -> date:
    try:
        return day.replace(year=day.year + years)
    except ValueError:  # 29 February: the anniversary is the first day after it
        return date(day.year + years, 3, 1)


@dataclass(frozen=True, slots=True)
class Order:
    """A licence that a department wants issued."""

    type_code: str
    holder_kind: HolderKind
    holder_id: UUID
    issuer_department_id: UUID
    content: Content
    case_id: UUID | None = None
    project_no: str | None = None
