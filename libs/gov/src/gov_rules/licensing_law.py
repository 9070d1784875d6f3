"""Time limits of the Administrative Licensing Law 行政许可法 and the steps that it permits on a clock.

Source: 行政许可法 (2019) art. 32, 42, 43, 44, 45, 82. A law or regulation of the field may set other limits (art. 42): pass
those as `Limit`; these are the defaults.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum

from gov_rules.calendars import WorkCalendar
from gov_rules.clocks import (
    STANDARD_POLICY,
    ClockPolicy,
    Deadline,
    DeadlineInputs,
    Limit,
    Suspension,
    TimeUnit,
    compute_deadline,
)
from gov_rules.errors import ClockRuleBroken
from gov_rules.office_hours import OfficeHours, local_date

ONE_OFF_NOTICE_LIMIT = Limit(5, TimeUnit.WORKDAY)  # art. 32 (4)
DECISION_LIMIT = Limit(20, TimeUnit.WORKDAY)  # art. 42 para. 1
JOINT_DECISION_LIMIT = Limit(45, TimeUnit.WORKDAY)  # art. 42 para. 2
FIRST_REVIEW_LIMIT = Limit(20, TimeUnit.WORKDAY)  # art. 43
DELIVERY_LIMIT = Limit(10, TimeUnit.WORKDAY)  # art. 44
LONGEST_EXTENSION_WORKDAYS = 10  # art. 42 para. 1, approved by the head of the organ
LONGEST_JOINT_EXTENSION_WORKDAYS = 15  # art. 42 para. 2, approved by the head of the government


class SpecialProcedure(StrEnum):
    """The only procedures whose time does not count (art. 45)."""

    HEARING = "HEARING"
    TENDER = "TENDER"
    AUCTION = "AUCTION"
    INSPECTION = "INSPECTION"
    TESTING = "TESTING"
    QUARANTINE = "QUARANTINE"
    APPRAISAL = "APPRAISAL"
    EXPERT_REVIEW = "EXPERT_REVIEW"


SPECIAL_PROCEDURE_NAMES = {
    SpecialProcedure.HEARING: "听证",
    SpecialProcedure.TENDER: "招标",
    SpecialProcedure.AUCTION: "拍卖",
    SpecialProcedure.INSPECTION: "检验",
    SpecialProcedure.TESTING: "检测",
    SpecialProcedure.QUARANTINE: "检疫",
    SpecialProcedure.APPRAISAL: "鉴定",
    SpecialProcedure.EXPERT_REVIEW: "专家评审",
}


def suspend(inputs: DeadlineInputs, at: datetime) -> DeadlineInputs:
    """Stop the clock when the applicant is told of a special procedure (art. 45).

    Raises: ClockRuleBroken when it is stopped already, or has not started.
    """
    if inputs.is_suspended:
        raise ClockRuleBroken(
            "clock_already_suspended",
            zh="办理期限已处于中止状态。",
            en="The clock is suspended already.",
        )
    if at < inputs.started_at:
        raise ClockRuleBroken(
            "clock_not_started",
            zh="办理期限尚未开始，不能中止。",
            en="The clock has not started and cannot be suspended.",
        )
    return replace(inputs, suspensions=(*inputs.suspensions, Suspension(at)))


def resume(inputs: DeadlineInputs, at: datetime) -> DeadlineInputs:
    """Let the clock run again when the result of the special procedure is in (art. 45).

    Raises: ClockRuleBroken when it runs, or when ``at`` lies before the suspension.
    """
    started_at = next((each.started_at for each in inputs.suspensions if each.ended_at is None), None)
    if started_at is None or at < started_at:
        raise ClockRuleBroken(
            "clock_not_suspended",
            zh="办理期限未处于中止状态，不能恢复。",
            en="The clock is not suspended and cannot be resumed.",
        )
    return inputs.closed_at(at)


def extend(
    inputs: DeadlineInputs,
    workdays: int,
    approved_at: datetime,
    calendar: WorkCalendar,
    *,
    joint: bool = False,
    policy: ClockPolicy = STANDARD_POLICY,
) -> DeadlineInputs:
    """Lengthen a period once, before it ends, by up to 10 working days, 15 for joint handling (art. 42).

    Raises: ClockRuleBroken.
    """
    longest = LONGEST_JOINT_EXTENSION_WORKDAYS if joint else LONGEST_EXTENSION_WORKDAYS
    if inputs.extension_workdays:
        raise ClockRuleBroken(
            "extension_twice",
            zh="办理期限只能延长一次。",
            en="A period can be extended once only.",
        )
    if not 1 <= workdays <= longest:
        raise ClockRuleBroken(
            "extension_too_long",
            zh=f"延长期限应为 1 至 {longest} 个工作日。",
            en=f"An extension is 1 to {longest} working days.",
        )
    if compute_deadline(inputs.closed_at(approved_at), calendar, policy).has_passed(approved_at):
        raise ClockRuleBroken(
            "extension_too_late",
            zh="办理期限已届满，不能再延长。",
            en="The period has ended and cannot be extended any more.",
        )
    return replace(inputs, extension_workdays=workdays)


@dataclass(frozen=True, slots=True)
class OneOffNoticeTimer:
    """The five working days to tell an applicant everything that is missing 一次性告知 (art. 32 (4))."""

    submitted_at: datetime
    received_at: datetime
    deadline: Deadline

    def is_deemed_accepted(self, now: datetime, answered_at: datetime | None = None) -> bool:
        """Whether silence, or an answer that came too late, has made the application accepted by law.

        It is then accepted from ``received_at``, and the decision clock starts there. ``answered_at`` is when the organ
        accepted, refused, or gave the one-off notice; sending the application back in a pre-check 预审 is no such answer.
        """
        return self.deadline.has_passed(now if answered_at is None else answered_at)


def start_one_off_notice_timer(
    submissions: Sequence[datetime], calendar: WorkCalendar, policy: ClockPolicy = STANDARD_POLICY
) -> OneOffNoticeTimer:
    """The timer of an application, from every time it was sent: the first one counts, returns restart nothing."""
    submitted_at = min(submissions)
    day = day_of_receipt(submitted_at, calendar, policy.office)
    received_at = submitted_at if local_date(submitted_at) == day else policy.office.opening(day)
    inputs = DeadlineInputs(ONE_OFF_NOTICE_LIMIT, received_at)
    return OneOffNoticeTimer(submitted_at, received_at, compute_deadline(inputs, calendar, policy))


def day_of_receipt(received_at: datetime, calendar: WorkCalendar, office: OfficeHours) -> date:
    """The working day on which something sent counts as received: after closing or on a day off, the next one."""
    day = local_date(received_at)
    if office.works_on(day, calendar) and received_at < office.closing(day):
        return day
    return calendar.add_workdays(day, 1).day
