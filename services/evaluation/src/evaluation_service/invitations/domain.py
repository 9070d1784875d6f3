"""When a service contact can be reviewed. Pure.

Source: standards §6.5 (window), 国办发〔2019〕51号 (一次一评, 一事一评).
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from gov_rules.office_hours import end_of_day, local_date
from service_common.contracts.evaluation import ContactKind
from service_common.errors import Conflict, NotFound


class InvitationState(StrEnum):
    """What became of an invitation; UNINVITED: nobody was known who could be asked about the contact."""

    OPEN = "OPEN"
    REVIEWED = "REVIEWED"
    EXPIRED = "EXPIRED"
    UNINVITED = "UNINVITED"


class NoSuchInvitation(NotFound):
    """It does not exist, or is somebody else's."""

    code = "no_such_invitation"
    zh = "没有找到该评价邀请。"
    en = "There is no such invitation."


class InvitationExpired(Conflict):
    """The window has passed."""

    code = "invitation_expired"
    zh = "评价期限已过。"
    en = "The time to review this contact has passed."


class AlreadyReviewed(Conflict):
    """One contact, one review."""

    code = "already_reviewed"
    zh = "该次服务已经评价，一次服务只能评价一次。"
    en = "This contact was reviewed already: one contact takes one review."


@dataclass(frozen=True, slots=True)
class Contact:
    """A service contact: the ``number``-th of a case or ticket. ``reference`` is the number that the person knows."""

    kind: ContactKind
    id: UUID
    number: int
    reference: str
    department_id: UUID
    division: str
    item_code: str | None = None
    item_name: str | None = None


def window_end(invited_at: datetime, valid_days: int) -> datetime:
    """The first instant after the last local day on which the contact can be reviewed."""
    return end_of_day(local_date(invited_at) + timedelta(days=valid_days))


def state_at(state: InvitationState, expires_at: datetime, now: datetime) -> InvitationState:
    """The state as it is now, whether or not the sweeper has passed."""
    return InvitationState.EXPIRED if state is InvitationState.OPEN and now >= expires_at else state


def check_open(state: InvitationState, expires_at: datetime, now: datetime) -> None:
    """Raises: AlreadyReviewed, InvitationExpired."""
    current = state_at(state, expires_at, now)
    if current is InvitationState.REVIEWED:
        raise AlreadyReviewed
    if current is InvitationState.EXPIRED:
        raise InvitationExpired
