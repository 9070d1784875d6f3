"""Clocks of a case: from a limit and a start to a deadline, with suspensions and an extension in between.

Source: 民法典 art. 201-203 (counting of periods), 行政许可法 art. 45 (time that does not count), art. 82 (working days).

Days are local days in Asia/Shanghai; instants are aware and come back in UTC. What is permitted (who may suspend, how
long an extension may be) stands in `licensing_law`; here is only arithmetic, so that the hotline and evaluation can use
it with their own rules.
"""

from calendar import monthrange
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from enum import StrEnum

from gov_rules.calendars import CountedDay, WorkCalendar
from gov_rules.errors import ClockRuleBroken
from gov_rules.office_hours import STANDARD_OFFICE_HOURS, OfficeHours, end_of_day, local_date


class TimeUnit(StrEnum):
    """Units of limits."""

    WORKDAY = "WORKDAY"
    NATURAL_DAY = "NATURAL_DAY"
    HOUR = "HOUR"
    MINUTE = "MINUTE"
    MONTH = "MONTH"

    @classmethod
    def from_exchange_code(cls, code: str) -> "TimeUnit":
        """The unit for a code of the provincial exchange tables: 1 工作日, 2 自然日, 3 小时, 4 分钟, 5 月.

        Raises: ClockRuleBroken.
        """
        try:
            return _BY_EXCHANGE_CODE[code]
        except KeyError:
            raise ClockRuleBroken(
                "time_unit_code",
                zh="时限单位代码应为 1 至 5。",
                en="The code of a time unit runs from 1 to 5.",
            ) from None

    @property
    def exchange_code(self) -> str:
        """The unit's code in the provincial exchange tables."""
        return next(code for code, unit in _BY_EXCHANGE_CODE.items() if unit is self)


_BY_EXCHANGE_CODE = {
    "1": TimeUnit.WORKDAY,
    "2": TimeUnit.NATURAL_DAY,
    "3": TimeUnit.HOUR,
    "4": TimeUnit.MINUTE,
    "5": TimeUnit.MONTH,
}


class DayEnd(StrEnum):
    """When a last day ends: at 24:00, or where business hours rule, at closing (民法典 art. 203)."""

    MIDNIGHT = "MIDNIGHT"
    OFFICE_CLOSING = "OFFICE_CLOSING"


@dataclass(frozen=True, slots=True)
class ClockPolicy:
    """How an office counts: its hours, and when its day ends."""

    office: OfficeHours = STANDARD_OFFICE_HOURS
    day_end: DayEnd = DayEnd.MIDNIGHT


STANDARD_POLICY = ClockPolicy()


@dataclass(frozen=True, slots=True)
class Limit:
    """A period, e.g. 20 working days. Zero is on the spot."""

    amount: int
    unit: TimeUnit

    def __post_init__(self) -> None:
        """Refuse a negative period."""
        if self.amount < 0:
            raise ValueError("a period has no negative length")


@dataclass(frozen=True, slots=True)
class Suspension:
    """Time that does not count (行政许可法 art. 45); ``ended_at`` is None while it lasts.

    As a period it follows art. 201 of the Civil Code itself: the local day on which it starts still counts for the
    case, the day on which it ends does not. Suspending and resuming on one day therefore wins no time.
    """

    started_at: datetime
    ended_at: datetime | None = None

    def __post_init__(self) -> None:
        """Refuse an end before the start."""
        if self.ended_at is not None and self.ended_at < self.started_at:
            raise ValueError("a suspension cannot end before it starts")


@dataclass(frozen=True, slots=True)
class DeadlineInputs:
    """All that a deadline follows from, besides the calendar and the policy: keep it, to be able to count again."""

    limit: Limit
    started_at: datetime
    suspensions: tuple[Suspension, ...] = ()
    extension_workdays: int = 0

    @property
    def is_suspended(self) -> bool:
        """Whether a suspension lasts."""
        return any(suspension.ended_at is None for suspension in self.suspensions)

    def closed_at(self, now: datetime) -> "DeadlineInputs":
        """The same with a lasting suspension ended now: what would be if the case went on today."""
        return replace(
            self,
            suspensions=tuple(
                replace(each, ended_at=max(now, each.started_at)) if each.ended_at is None else each
                for each in self.suspensions
            ),
        )


@dataclass(frozen=True, slots=True)
class Deadline:
    """A due day and the instant from which it has passed, with the calendar that says so.

    ``due_date`` is local, ``due_at`` UTC. ``provisional`` means that a year without a published notice was counted: count
    again when `WorkCalendar.with_notice` gives a new version.
    """

    due_date: date
    due_at: datetime
    calendar_version: str
    provisional: bool

    def has_passed(self, now: datetime) -> bool:
        """Whether the deadline is missed if nothing has happened until now."""
        return now >= self.due_at


@dataclass(frozen=True, slots=True)
class Recount:
    """A deadline before and after a change of calendar; the old one belongs in the log."""

    old: Deadline
    new: Deadline

    @property
    def moved(self) -> bool:
        """Whether the due instant is another one."""
        return self.old.due_at != self.new.due_at


def compute_deadline(
    inputs: DeadlineInputs, calendar: WorkCalendar, policy: ClockPolicy = STANDARD_POLICY
) -> Deadline:
    """When the period ends.

    A working-day period is counted in working days. One in days or months that ends on a day off ends on the next
    working day (民法典 art. 203). Hours and minutes run while the office is open. A suspension that began after the
    deadline had passed does not bring it back.

    Raises: ClockRuleBroken (``clock_suspended``) while a suspension lasts: there is no due day then.
    """
    if inputs.is_suspended:
        raise ClockRuleBroken(
            "clock_suspended",
            zh="办理期限处于中止状态，暂无到期日。",
            en="The clock is suspended, there is no due day now.",
        )
    if inputs.limit.unit in {TimeUnit.HOUR, TimeUnit.MINUTE}:
        return _deadline_in_open_hours(inputs, calendar, policy.office)
    return _deadline_in_days(inputs, calendar, policy)


def recompute_deadline(
    stored: Deadline,
    inputs: DeadlineInputs,
    calendar: WorkCalendar,
    policy: ClockPolicy = STANDARD_POLICY,
) -> Recount:
    """Count again on another calendar, keeping the stored deadline beside the new one."""
    return Recount(old=stored, new=compute_deadline(inputs, calendar, policy))


def elapsed_workdays(inputs: DeadlineInputs, calendar: WorkCalendar, now: datetime) -> int:
    """Working days used up until today, today included; suspended ones left out, the start day never counted."""
    today = local_date(now)
    start = local_date(inputs.started_at)
    if today <= start:
        return 0
    pauses = [(local_date(begin), local_date(until)) for begin, until in _pauses(inputs.closed_at(now))]
    suspended = sum(
        calendar.workdays_between(begin, min(until, today)) for begin, until in pauses if begin < today
    )
    return calendar.workdays_between(start, today) - suspended


def remaining_workdays(
    inputs: DeadlineInputs,
    calendar: WorkCalendar,
    now: datetime,
    policy: ClockPolicy = STANDARD_POLICY,
) -> int:
    """Working days after today up to the due day: 0 on the due day, negative when overdue.

    While suspended, what would remain if the case went on today.
    """
    due = compute_deadline(inputs.closed_at(now), calendar, policy).due_date
    return calendar.workdays_between(local_date(now), due)


def _deadline_in_days(inputs: DeadlineInputs, calendar: WorkCalendar, policy: ClockPolicy) -> Deadline:
    suspended_workdays = suspended_days = 0
    end = _end_of_period(inputs, calendar, suspended_workdays, suspended_days)
    for begin, until in _pauses(inputs):
        if begin >= _end_of_last_day(end.day, policy):
            break
        suspended_workdays += calendar.workdays_between(local_date(begin), local_date(until))
        suspended_days += (local_date(until) - local_date(begin)).days
        end = _end_of_period(inputs, calendar, suspended_workdays, suspended_days)
    return Deadline(end.day, _end_of_last_day(end.day, policy), calendar.version, end.provisional)


def _end_of_last_day(day: date, policy: ClockPolicy) -> datetime:
    return end_of_day(day) if policy.day_end is DayEnd.MIDNIGHT else policy.office.closing(day)


def _end_of_period(
    inputs: DeadlineInputs, calendar: WorkCalendar, suspended_workdays: int, suspended_days: int
) -> CountedDay:
    start = local_date(inputs.started_at)
    limit = inputs.limit
    if limit.unit is TimeUnit.WORKDAY:
        return calendar.add_workdays(start, limit.amount + inputs.extension_workdays + suspended_workdays)
    if limit.unit is TimeUnit.MONTH:
        last = _months_later(start, limit.amount)
    else:
        last = start + timedelta(limit.amount)
    end = calendar.first_workday_from(last + timedelta(suspended_days))
    extended = calendar.add_workdays(end.day, inputs.extension_workdays)
    return CountedDay(extended.day, end.provisional or extended.provisional)


def _months_later(start: date, months: int) -> date:
    """The corresponding day of the last month, or that month's end where it has none (民法典 art. 202)."""
    year, month = divmod(start.year * 12 + start.month - 1 + months, 12)
    return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1]))


def _deadline_in_open_hours(inputs: DeadlineInputs, calendar: WorkCalendar, office: OfficeHours) -> Deadline:
    unit = timedelta(hours=1) if inputs.limit.unit is TimeUnit.HOUR else timedelta(minutes=1)
    open_time = inputs.limit.amount * unit
    due_at = office.add_time(inputs.started_at, open_time, calendar)
    for begin, until in _pauses(inputs):
        if begin >= due_at:
            break
        open_time += office.time_between(begin, until, calendar)
        due_at = office.add_time(inputs.started_at, open_time, calendar)
    due_date = local_date(due_at)
    extended = calendar.add_workdays(due_date, inputs.extension_workdays)
    counted = not office.every_day and calendar.is_provisional_between(
        local_date(inputs.started_at), due_date
    )
    return Deadline(
        due_date=extended.day,
        due_at=due_at + (extended.day - due_date),
        calendar_version=calendar.version,
        provisional=counted or extended.provisional,
    )


def _pauses(inputs: DeadlineInputs) -> list[tuple[datetime, datetime]]:
    """Ended suspensions in order, overlapping ones joined, what lies before the start cut off."""
    pauses: list[tuple[datetime, datetime]] = []
    spans = sorted(
        (each.started_at, each.ended_at) for each in inputs.suspensions if each.ended_at is not None
    )
    for started_at, until in spans:
        begin = max(started_at, inputs.started_at)
        if until <= begin:
            continue
        if pauses and begin <= pauses[-1][1]:
            pauses[-1] = (pauses[-1][0], max(until, pauses[-1][1]))
        else:
            pauses.append((begin, until))
    return pauses
