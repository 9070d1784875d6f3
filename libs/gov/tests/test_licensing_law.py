"""行政许可法: one-off notice (art. 32), limits and extension (art. 42-44), special procedures (art. 45)."""

from datetime import date, datetime

import pytest

from gov_rules.calendars import published_calendar
from gov_rules.clocks import DeadlineInputs, TimeUnit, compute_deadline
from gov_rules.errors import ClockRuleBroken
from gov_rules.licensing_law import (
    DECISION_LIMIT,
    DELIVERY_LIMIT,
    FIRST_REVIEW_LIMIT,
    JOINT_DECISION_LIMIT,
    ONE_OFF_NOTICE_LIMIT,
    SPECIAL_PROCEDURE_NAMES,
    SpecialProcedure,
    day_of_receipt,
    extend,
    resume,
    start_one_off_notice_timer,
    suspend,
)
from gov_rules.office_hours import SHANGHAI, STANDARD_OFFICE_HOURS

CALENDAR = published_calendar()


def at(day: str, clock: str = "10:00") -> datetime:
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=SHANGHAI)


def running() -> DeadlineInputs:
    return DeadlineInputs(DECISION_LIMIT, at("2026-03-02"))  # due on 30 March


def test_art_32_42_43_44_limits_are_working_days_by_art_82() -> None:
    limits = [ONE_OFF_NOTICE_LIMIT, DECISION_LIMIT, JOINT_DECISION_LIMIT, FIRST_REVIEW_LIMIT, DELIVERY_LIMIT]
    assert [limit.amount for limit in limits] == [5, 20, 45, 20, 10]
    assert {limit.unit for limit in limits} == {TimeUnit.WORKDAY}


@pytest.mark.parametrize(
    ("received_at", "day"),
    [
        (at("2026-03-02", "16:59"), date(2026, 3, 2)),
        (at("2026-03-02", "07:00"), date(2026, 3, 2)),
        (at("2026-03-02", "12:30"), date(2026, 3, 2)),
        (at("2026-03-02", "17:00"), date(2026, 3, 3)),  # after closing
        (at("2026-03-06", "20:00"), date(2026, 3, 9)),  # Friday evening
        (at("2026-02-28", "10:00"), date(2026, 2, 28)),  # a make-up Saturday
        (at("2026-10-01", "10:00"), date(2026, 10, 8)),
    ],
)
def test_art_32_what_comes_after_closing_or_on_a_day_off_is_received_on_the_next_working_day(
    received_at: datetime, day: date
) -> None:
    assert day_of_receipt(received_at, CALENDAR, STANDARD_OFFICE_HOURS) == day


def test_art_32_the_five_day_timer_starts_at_submission() -> None:
    timer = start_one_off_notice_timer([at("2026-03-02")], CALENDAR)
    assert timer.received_at == at("2026-03-02")
    assert timer.deadline.due_date == date(2026, 3, 9)


def test_art_32_an_evening_submission_is_counted_from_the_next_opening() -> None:
    timer = start_one_off_notice_timer([at("2026-03-02", "20:00")], CALENDAR)
    assert timer.submitted_at == at("2026-03-02", "20:00")
    assert timer.received_at == at("2026-03-03", "09:00")
    assert timer.deadline.due_date == date(2026, 3, 10)


def test_art_32_returns_and_resubmissions_do_not_restart_the_timer() -> None:
    submissions = [at("2026-03-05"), at("2026-03-02"), at("2026-03-09")]
    assert start_one_off_notice_timer(submissions, CALENDAR) == start_one_off_notice_timer(
        [at("2026-03-02")], CALENDAR
    )


def test_art_32_silence_beyond_five_working_days_is_acceptance() -> None:
    timer = start_one_off_notice_timer([at("2026-03-02")], CALENDAR)
    assert not timer.is_deemed_accepted(at("2026-03-09", "23:59"))
    assert timer.is_deemed_accepted(at("2026-03-10", "00:00"))


def test_art_32_only_an_answer_in_time_prevents_deemed_acceptance() -> None:
    timer = start_one_off_notice_timer([at("2026-03-02")], CALENDAR)
    now = at("2026-03-20")
    assert not timer.is_deemed_accepted(now, answered_at=at("2026-03-09", "16:00"))
    assert timer.is_deemed_accepted(now, answered_at=at("2026-03-10", "09:00"))


def test_art_42_a_period_is_extended_once_by_up_to_ten_working_days() -> None:
    extended = extend(running(), 10, at("2026-03-20"), CALENDAR)
    assert compute_deadline(extended, CALENDAR).due_date == date(2026, 4, 14)  # Qingming, 4-6 April, is off
    with pytest.raises(ClockRuleBroken) as refusal:
        extend(extended, 1, at("2026-03-21"), CALENDAR)
    assert refusal.value.code == "extension_twice"


@pytest.mark.parametrize(("workdays", "joint"), [(0, False), (11, False), (16, True)])
def test_art_42_an_extension_beyond_ten_or_fifteen_for_joint_handling_is_refused(
    workdays: int, joint: bool
) -> None:
    with pytest.raises(ClockRuleBroken) as refusal:
        extend(running(), workdays, at("2026-03-20"), CALENDAR, joint=joint)
    assert refusal.value.code == "extension_too_long"


def test_art_42_joint_handling_may_be_extended_by_fifteen_working_days() -> None:
    joint = DeadlineInputs(JOINT_DECISION_LIMIT, at("2026-03-02"))
    assert extend(joint, 15, at("2026-03-20"), CALENDAR, joint=True).extension_workdays == 15


def test_art_42_a_period_that_has_ended_is_not_extended() -> None:
    assert extend(running(), 5, at("2026-03-30", "23:59"), CALENDAR).extension_workdays == 5
    with pytest.raises(ClockRuleBroken) as refusal:
        extend(running(), 5, at("2026-03-31", "00:00"), CALENDAR)
    assert refusal.value.code == "extension_too_late"


def test_art_42_a_suspended_period_may_be_extended() -> None:
    suspended = suspend(running(), at("2026-03-27"))
    assert extend(suspended, 5, at("2026-04-20"), CALENDAR).is_suspended


def test_art_45_a_special_procedure_stops_the_clock_until_its_result_is_in() -> None:
    suspended = suspend(running(), at("2026-03-04"))
    assert suspended.is_suspended
    resumed = resume(suspended, at("2026-03-11"))
    assert compute_deadline(resumed, CALENDAR).due_date == date(2026, 4, 7)  # five days on, over Qingming


def test_art_45_the_clock_is_not_suspended_twice_nor_resumed_while_it_runs() -> None:
    suspended = suspend(running(), at("2026-03-04"))
    with pytest.raises(ClockRuleBroken) as twice:
        suspend(suspended, at("2026-03-05"))
    with pytest.raises(ClockRuleBroken) as runs:
        resume(running(), at("2026-03-05"))
    with pytest.raises(ClockRuleBroken) as backward:
        resume(suspended, at("2026-03-03"))
    with pytest.raises(ClockRuleBroken) as early:
        suspend(running(), at("2026-03-01"))
    codes = [refusal.value.code for refusal in (twice, runs, backward, early)]
    assert codes == [
        "clock_already_suspended",
        "clock_not_suspended",
        "clock_not_suspended",
        "clock_not_started",
    ]


def test_art_45_names_eight_procedures_and_no_other() -> None:
    assert [SPECIAL_PROCEDURE_NAMES[kind] for kind in SpecialProcedure] == [
        "听证",
        "招标",
        "拍卖",
        "检验",
        "检测",
        "检疫",
        "鉴定",
        "专家评审",
    ]
