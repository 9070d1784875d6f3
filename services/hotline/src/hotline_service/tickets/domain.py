"""What may happen to a ticket, by whom it may be seen, and which clock runs. Pure.

Source: standards §5 (国办发〔2020〕53号; practice of 12345 hotlines where it is marked so).
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from gov_rules.calendars import WorkCalendar
from gov_rules.clocks import ClockPolicy, Deadline, DeadlineInputs, Limit, TimeUnit, compute_deadline
from gov_rules.divisions import is_within
from gov_rules.office_hours import ROUND_THE_CLOCK
from service_common.contracts.hotline import TicketKind
from service_common.errors import Conflict, Forbidden, Invalid, NotFound

# Failed attempts at different times after which a caller counts as not reached (standards §5.3).
CALL_ATTEMPTS = 3
# How far apart times have to be to be different ones; the standards name no figure, so this is ours.
BETWEEN_CALLS = timedelta(hours=1)


class Status(StrEnum):
    """Where a ticket stands."""

    RECORDED = "RECORDED"
    DISPATCHED = "DISPATCHED"
    SIGNED = "SIGNED"
    RETURNED = "RETURNED"
    DISPUTED = "DISPUTED"
    ANSWERED = "ANSWERED"
    CLOSED = "CLOSED"
    CALLED_BACK = "CALLED_BACK"


class Urgency(StrEnum):
    """Grades 特急 急件 一般 疑难 (standards §5.2)."""

    CRITICAL = "CRITICAL"
    URGENT = "URGENT"
    ORDINARY = "ORDINARY"
    COMPLEX = "COMPLEX"


class Channel(StrEnum):
    """How it came in."""

    APP = "APP"
    PHONE = "PHONE"


class Action(StrEnum):
    """What a person can do with a ticket."""

    DISPATCH = "DISPATCH"
    SETTLE = "SETTLE"
    SIGN = "SIGN"
    RETURN = "RETURN"
    ANSWER = "ANSWER"
    ANSWER_DIRECTLY = "ANSWER_DIRECTLY"
    CLOSE = "CLOSE"
    CALL_BACK = "CALL_BACK"
    URGE = "URGE"


KIND_LABELS: Mapping[TicketKind, str] = {
    TicketKind.CONSULT: "咨询",
    TicketKind.HELP: "求助",
    TicketKind.COMPLAINT: "投诉",
    TicketKind.REPORT: "举报",
    TicketKind.SUGGESTION: "建议",
    TicketKind.PRAISE: "表扬",
}
URGENCY_LABELS: Mapping[Urgency, str] = {
    Urgency.CRITICAL: "特急",
    Urgency.URGENT: "急件",
    Urgency.ORDINARY: "一般",
    Urgency.COMPLEX: "疑难",
}
STATUS_LABELS: Mapping[Status, str] = {
    Status.RECORDED: "待派单",
    Status.DISPATCHED: "待签收",
    Status.SIGNED: "办理中",
    Status.RETURNED: "已退单",
    Status.DISPUTED: "职责争议",
    Status.ANSWERED: "已答复",
    Status.CLOSED: "已办结",
    Status.CALLED_BACK: "已回访",
}
ENDED = frozenset({Status.CLOSED, Status.CALLED_BACK})
# While a ticket waits for the department's answer, or for the centre to send it on.
UNDER_CLOCK = frozenset({Status.DISPATCHED, Status.SIGNED, Status.RETURNED, Status.DISPUTED})


class NoSuchTicket(NotFound):
    """It does not exist, or is not the caller's to see."""

    code = "no_such_ticket"
    zh = "没有找到该工单。"
    en = "There is no such ticket."


class NotNow(Conflict):
    """The ticket stands elsewhere."""

    code = "ticket_status_conflict"
    zh = "工单当前为“{status}”，不能进行此操作。"
    en = "The ticket is {status}: this cannot be done now."


class AssignmentIsBinding(Conflict):
    """A dispute of competence was settled: the department handles it."""

    code = "assignment_is_binding"
    zh = "职责争议已裁定，承办单位不得再次退单。"
    en = "The dispute of competence was settled: the ticket cannot be returned again."


class ReturnTooLate(Conflict):
    """The limit to return a ticket has passed."""

    code = "return_too_late"
    zh = "已超过退单时限，请按首接负责制办理。"
    en = "The limit to return the ticket has passed: the first receiver handles it."


class AlreadyRedone(Conflict):
    """Handling is repeated once, for a caller who was not satisfied."""

    code = "ticket_redo_not_allowed"
    zh = "仅在回访不满意时可重办一次。"
    en = "A ticket is handled again once, and only when the caller was not satisfied."


class UnknownDepartment(Invalid):
    """Not a department to which this centre can dispatch."""

    code = "department_unknown"
    zh = "承办单位不存在、已停用或不属于本热线的区域。"
    en = "The department does not exist, is not active, or lies outside this centre's area."


class CallerIsHidden(Forbidden):
    """The caller of a report is not shown to the handling unit (standards §5.5)."""

    code = "caller_is_hidden"
    zh = "举报件的举报人信息不向承办单位提供。"
    en = "The caller of a report is not shown to the handling unit."


class HandlerCannotCallBack(Forbidden):
    """Who handled a ticket does not ask whether it was handled well."""

    code = "handler_cannot_call_back"
    zh = "回访应由热线中心进行，办理人员不得自行回访。"
    en = "Call-backs are the centre's: whoever handled the ticket cannot make them."


class CalledJustNow(Conflict):
    """Three attempts within a minute have not tried to reach anybody (standards §5.3: at different times)."""

    code = "called_just_now"
    zh = "距上次回访未接通不足一小时，请在不同时段再次回访。"
    en = "The last attempt in vain is less than an hour ago: call again at another time."


class CallerNotYours(Invalid):
    """A person speaks for himself; only an agent records somebody else as the caller."""

    code = "caller_name_not_allowed"
    zh = "本人提交的诉求无需填写诉求人姓名。"
    en = "A person's own ticket takes no caller name."


class OutsideArea(Invalid):
    """The place lies in another centre's area."""

    code = "division_outside_area"
    zh = "该区域不属于本热线中心的受理范围。"
    en = "The division lies outside this centre's area."


@dataclass(frozen=True, slots=True)
class Standing:
    """All of a ticket's history that decides what may come next."""

    status: Status
    returns: int = 0
    binding: bool = False
    redos: int = 0
    unsatisfied: bool = False


_NEXT: Mapping[tuple[Status, Action], Status] = {
    (Status.RECORDED, Action.DISPATCH): Status.DISPATCHED,
    (Status.RECORDED, Action.ANSWER_DIRECTLY): Status.ANSWERED,
    (Status.DISPATCHED, Action.SIGN): Status.SIGNED,
    (Status.DISPATCHED, Action.RETURN): Status.RETURNED,
    (Status.SIGNED, Action.RETURN): Status.RETURNED,
    (Status.SIGNED, Action.ANSWER): Status.ANSWERED,
    (Status.RETURNED, Action.DISPATCH): Status.DISPATCHED,
    (Status.DISPUTED, Action.SETTLE): Status.DISPATCHED,
    (Status.ANSWERED, Action.CLOSE): Status.CLOSED,
    (Status.CLOSED, Action.CALL_BACK): Status.CALLED_BACK,
    (Status.CALLED_BACK, Action.DISPATCH): Status.DISPATCHED,
}


def next_status(standing: Standing, action: Action) -> Status:
    """Where an action leads. A first return goes to the centre, a second one is a dispute of competence 职责争议.

    Raises: NotNow, AssignmentIsBinding, AlreadyRedone.
    """
    if action is Action.URGE and standing.status not in ENDED:
        return standing.status
    following = _NEXT.get((standing.status, action))
    if following is None:
        raise NotNow(status=STATUS_LABELS[standing.status])
    if action is Action.RETURN:
        if standing.binding:
            raise AssignmentIsBinding
        return Status.DISPUTED if standing.returns else Status.RETURNED
    if is_redo(standing, action) and (standing.redos or not standing.unsatisfied):
        raise AlreadyRedone
    return following


def is_redo(standing: Standing, action: Action) -> bool:
    """Whether this dispatch begins the handling anew for a caller who was not satisfied 重办."""
    return action is Action.DISPATCH and standing.status is Status.CALLED_BACK


def check_return_in_time(return_due_at: datetime | None, now: datetime) -> None:
    """Raises: ReturnTooLate."""
    if return_due_at is not None and now >= return_due_at:
        raise ReturnTooLate


def check_time_of_call(*, reached: bool, last_in_vain: datetime | None, now: datetime) -> None:
    """Who is reached is reached; attempts in vain count at different times only. Raises: CalledJustNow."""
    if not reached and last_in_vain is not None and now - last_in_vain < BETWEEN_CALLS:
        raise CalledJustNow


def status_after_call(*, reached: bool, attempts: int) -> Status:
    """A caller who was not reached is tried again, up to `CALL_ATTEMPTS` times in all."""
    return Status.CALLED_BACK if reached or attempts >= CALL_ATTEMPTS else Status.CLOSED


@dataclass(frozen=True, slots=True)
class PolicedLimit:
    """A period, and whether it runs at night and on days off as well."""

    limit: Limit
    round_the_clock: bool

    def deadline(self, started_at: datetime, calendar: WorkCalendar) -> Deadline:
        """When it ends."""
        policy = ClockPolicy(office=ROUND_THE_CLOCK) if self.round_the_clock else ClockPolicy()
        return compute_deadline(DeadlineInputs(self.limit, started_at), calendar, policy)

    def dump(self) -> list[Any]:
        """As JSON."""
        return [self.limit.amount, self.limit.unit.value, self.round_the_clock]

    @classmethod
    def load(cls, stored: Sequence[Any]) -> "PolicedLimit":
        """Reads what ``dump`` wrote."""
        amount, unit, round_the_clock = stored
        return cls(Limit(amount, TimeUnit(unit)), round_the_clock=round_the_clock)


@dataclass(frozen=True, slots=True)
class Limits:
    """The three periods that begin with a dispatch."""

    sign: PolicedLimit
    give_back: PolicedLimit
    handle: PolicedLimit


@dataclass(frozen=True, slots=True)
class TicketClocks:
    """What the deadlines of a dispatched ticket follow from; kept with the ticket, so that they can be counted again.

    Signing and returning run from the last dispatch, handling from the one that last gave it a fresh clock.
    """

    dispatched_at: datetime
    handled_from: datetime
    limits: Limits

    def sent_on(self, at: datetime, limits: Limits) -> "TicketClocks":
        """For another department: it signs and returns anew, the handling clock goes on."""
        return TicketClocks(at, self.handled_from, Limits(limits.sign, limits.give_back, self.limits.handle))

    def due(self, calendar: WorkCalendar) -> "TicketDue":
        """All three on one calendar."""
        return TicketDue(
            sign=self.limits.sign.deadline(self.dispatched_at, calendar),
            give_back=self.limits.give_back.deadline(self.dispatched_at, calendar),
            handle=self.limits.handle.deadline(self.handled_from, calendar),
        )

    def dump(self) -> dict[str, Any]:
        """As JSON, for the row of the ticket."""
        return {
            "dispatched_at": self.dispatched_at.isoformat(),
            "handled_from": self.handled_from.isoformat(),
            "sign": self.limits.sign.dump(),
            "give_back": self.limits.give_back.dump(),
            "handle": self.limits.handle.dump(),
        }

    @classmethod
    def load(cls, stored: Mapping[str, Any]) -> "TicketClocks":
        """Reads what ``dump`` wrote."""
        return cls(
            datetime.fromisoformat(stored["dispatched_at"]),
            datetime.fromisoformat(stored["handled_from"]),
            Limits(*(PolicedLimit.load(stored[name]) for name in ("sign", "give_back", "handle"))),
        )


@dataclass(frozen=True, slots=True)
class TicketDue:
    """Until when a ticket is to be signed, may be returned, and is to be answered; counted on one calendar."""

    sign: Deadline
    give_back: Deadline
    handle: Deadline

    @property
    def calendar_version(self) -> str:
        """The calendar of all three."""
        return self.handle.calendar_version

    @property
    def provisional(self) -> bool:
        """Whether a year without a published notice was counted through."""
        return self.sign.provisional or self.give_back.provisional or self.handle.provisional


@dataclass(frozen=True, slots=True)
class ClockTable:
    """Limits by urgency and kind."""

    limits: Mapping[tuple[Urgency, TicketKind], Limits]

    def of(self, urgency: Urgency, kind: TicketKind) -> Limits:
        """The limits that apply."""
        return self.limits[urgency, kind]


def may_reset_clock(resets: int) -> bool:
    """A ticket that is sent on gets a fresh handling clock once, and not again after a second dispute (§5.3)."""
    return resets == 0


class View(StrEnum):
    """In which capacity somebody looks at a ticket."""

    OWN = "OWN"
    CENTRE = "CENTRE"
    DEPARTMENT = "DEPARTMENT"


_CENTRE_ROLES = frozenset({"hotline_agent", "supervisor"})


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks: as far as it decides what is shown."""

    person_id: UUID | None = None
    department_id: UUID | None = None
    division: str | None = None
    roles: frozenset[str] = frozenset()

    @property
    def is_centre(self) -> bool:
        """Whether the viewer works for the hotline of a division."""
        return bool(self.roles & _CENTRE_ROLES) and self.division is not None

    def serves(self, division: str) -> bool:
        """Whether the viewer's centre is responsible for a division."""
        return self.is_centre and self.division is not None and is_within(division, self.division)


def view_of(
    viewer: Viewer, *, person_id: UUID | None, department_id: UUID | None, division: str, status: Status
) -> View | None:
    """The capacity in which a ticket may be seen; None when it may not be known to exist."""
    if viewer.person_id is not None:
        return View.OWN if viewer.person_id == person_id else None
    if viewer.serves(division):
        return View.CENTRE
    if viewer.department_id and viewer.department_id == department_id and status is not Status.RECORDED:
        return View.DEPARTMENT
    return None


def protects_caller(kind: TicketKind, *, protected_before: bool = False) -> bool:
    """A report 举报 protects its caller, for good: judging it to be of another kind later gives nobody away."""
    return protected_before or kind is TicketKind.REPORT


def hides_caller(view: View, *, protected: bool) -> bool:
    """A protected caller is hidden from the handling unit, with the case by which he would be found out."""
    return protected and view is View.DEPARTMENT


def check_call_back(
    *,
    caller_id: str,
    caller_department: UUID | None,
    handler_id: str | None,
    handling_department: UUID | None,
    direct: bool,
) -> None:
    """Raises: HandlerCannotCallBack. What the centre answered itself, another agent of the centre asks about."""
    same_office = caller_department is not None and caller_department == handling_department and not direct
    if same_office or caller_id == handler_id:
        raise HandlerCannotCallBack


_LONG_NUMBER = re.compile(r"\d[\d\s-]{5,}\d[Xx]?")


def blacken_caller(text: str, *, name: str | None, phone: str | None) -> str:
    """A report's text without its caller: the recorded name and phone, and any number as long as a phone's."""
    for known in (name, phone):
        if known and len(known) > 1:
            text = text.replace(known, "＊＊＊")
    return _LONG_NUMBER.sub("＊＊＊", text)


def phone_digits(phone: str) -> str:
    """A phone number as it is looked for: digits only, without the country."""
    digits = re.sub(r"\D", "", phone)
    return re.sub(r"^(?:00)?86(?=1\d{10}$)", "", digits)
