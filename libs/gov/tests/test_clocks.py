"""Deadlines by 民法典 art. 201-203 and 行政许可法 art. 45, 82."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gov_rules.calendars import WorkCalendar, published_calendar
from gov_rules.clocks import (
    ClockPolicy,
    DayEnd,
    Deadline,
    DeadlineInputs,
    Limit,
    Suspension,
    TimeUnit,
    compute_deadline,
    elapsed_workdays,
    recompute_deadline,
    remaining_workdays,
)
from gov_rules.errors import ClockRuleBroken
from gov_rules.notices import CalendarNotice
from gov_rules.office_hours import ROUND_THE_CLOCK, SHANGHAI
from gov_rules.statutory_holidays import statutory_holidays

CALENDAR = published_calendar()


def at(day: str, clock: str = "10:00") -> datetime:
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=SHANGHAI)


def period(
    amount: int,
    unit: TimeUnit,
    start: datetime,
    *suspensions: Suspension,
    extension: int = 0,
) -> DeadlineInputs:
    return DeadlineInputs(Limit(amount, unit), start, suspensions, extension)


def due(inputs: DeadlineInputs) -> date:
    return compute_deadline(inputs, CALENDAR).due_date


def calendar_with_4_january_off() -> WorkCalendar:
    notice = CalendarNotice(
        2027, statutory_holidays(2027) | {date(2027, 1, 4): "虚构"}, {}, "虚构通知，仅供测试", "cn-2027.1"
    )
    return CALENDAR.with_notice(notice)


def test_art_82_twenty_working_days_end_at_midnight_of_the_last_one_in_shanghai() -> None:
    deadline = compute_deadline(period(20, TimeUnit.WORKDAY, at("2026-03-02")), CALENDAR)
    assert deadline == Deadline(
        due_date=date(2026, 3, 30),
        due_at=datetime(2026, 3, 30, 16, 0, tzinfo=UTC),
        calendar_version="cn-2026.1",
        provisional=False,
    )
    assert not deadline.has_passed(at("2026-03-30", "23:59"))
    assert deadline.has_passed(at("2026-03-31", "00:00"))


def test_the_day_of_acceptance_is_the_day_in_shanghai_and_not_in_utc() -> None:
    late_evening_utc = datetime(2026, 3, 1, 16, 30, tzinfo=UTC)  # half past midnight on the 2nd in Shanghai
    assert due(period(1, TimeUnit.WORKDAY, late_evening_utc)) == date(2026, 3, 3)


def test_civil_code_art_203_business_hours_may_end_the_last_day() -> None:
    deadline = compute_deadline(
        period(5, TimeUnit.WORKDAY, at("2026-03-02")), CALENDAR, ClockPolicy(day_end=DayEnd.OFFICE_CLOSING)
    )
    assert deadline.due_at == at("2026-03-09", "17:00")


def test_zero_days_are_due_on_the_spot() -> None:
    assert due(period(0, TimeUnit.WORKDAY, at("2026-03-02"))) == date(2026, 3, 2)


@pytest.mark.parametrize(
    ("days", "last"),
    [(3, date(2026, 3, 5)), (5, date(2026, 3, 9)), (6, date(2026, 3, 9))],
)
def test_civil_code_art_203_natural_days_that_end_on_a_day_off_move_to_the_next_working_day(
    days: int, last: date
) -> None:
    assert due(period(days, TimeUnit.NATURAL_DAY, at("2026-03-02"))) == last


@pytest.mark.parametrize(
    ("start", "months", "last"),
    [
        (at("2026-03-02"), 1, date(2026, 4, 2)),
        (at("2026-01-30"), 1, date(2026, 2, 28)),  # no 30 February; the 28th is a make-up Saturday
        (at("2026-08-31"), 1, date(2026, 9, 30)),
        (at("2026-09-01"), 1, date(2026, 10, 8)),  # 1 October gives way to the first working day
        (at("2025-12-15"), 2, date(2026, 2, 24)),  # over New Year, out of Spring Festival
    ],
)
def test_civil_code_art_202_months_end_on_the_corresponding_day_or_the_last_of_the_month(
    start: datetime, months: int, last: date
) -> None:
    assert due(period(months, TimeUnit.MONTH, start)) == last


def test_hours_and_minutes_run_while_the_office_is_open() -> None:
    hours = compute_deadline(period(4, TimeUnit.HOUR, at("2026-11-27", "16:00")), CALENDAR)
    assert (hours.due_date, hours.due_at) == (date(2026, 11, 30), at("2026-11-30", "12:00"))
    minutes = compute_deadline(period(90, TimeUnit.MINUTE, at("2026-11-27", "11:00")), CALENDAR)
    assert minutes.due_at == at("2026-11-27", "13:30")


def test_urgent_hotline_hours_run_through_holidays_and_need_no_notice() -> None:
    deadline = compute_deadline(
        period(2, TimeUnit.HOUR, at("2027-01-01", "23:00")), CALENDAR, ClockPolicy(office=ROUND_THE_CLOCK)
    )
    assert deadline.due_at == at("2027-01-02", "01:00")
    assert not deadline.provisional


def test_hours_counted_into_an_unpublished_year_are_provisional() -> None:
    assert compute_deadline(period(4, TimeUnit.HOUR, at("2026-12-31", "16:00")), CALENDAR).provisional


def test_a_natural_day_is_provisional_only_when_its_last_day_is() -> None:
    assert not compute_deadline(period(10, TimeUnit.NATURAL_DAY, at("2026-12-18")), CALENDAR).provisional
    assert compute_deadline(period(20, TimeUnit.NATURAL_DAY, at("2026-12-18")), CALENDAR).provisional


def test_art_45_suspended_working_days_are_added_to_the_period() -> None:
    suspension = Suspension(at("2026-03-04"), at("2026-03-11"))  # 5, 6, 9, 10, 11 March do not count
    inputs = period(10, TimeUnit.WORKDAY, at("2026-03-02"), suspension)
    assert due(inputs) == date(2026, 3, 23)
    assert due(period(10, TimeUnit.WORKDAY, at("2026-03-02"))) == date(2026, 3, 16)


def test_art_45_suspending_and_resuming_on_one_day_wins_no_time() -> None:
    suspensions = [
        Suspension(at(f"2026-03-0{day}", "09:00"), at(f"2026-03-0{day}", "17:00")) for day in (3, 4, 5)
    ]
    assert due(period(10, TimeUnit.WORKDAY, at("2026-03-02"), *suspensions)) == date(2026, 3, 16)


def test_art_45_overlapping_suspensions_count_once() -> None:
    first = Suspension(at("2026-03-04"), at("2026-03-10"))
    second = Suspension(at("2026-03-06"), at("2026-03-11"))
    whole = Suspension(at("2026-03-04"), at("2026-03-11"))
    start = at("2026-03-02")
    assert due(period(10, TimeUnit.WORKDAY, start, second, first)) == due(
        period(10, TimeUnit.WORKDAY, start, whole)
    )


def test_art_45_a_suspension_after_the_deadline_does_not_bring_it_back() -> None:
    late = Suspension(at("2026-03-17"), at("2026-03-27"))
    assert due(period(10, TimeUnit.WORKDAY, at("2026-03-02"), late)) == date(2026, 3, 16)
    on_the_last_day = Suspension(at("2026-03-16"), at("2026-03-18"))
    assert due(period(10, TimeUnit.WORKDAY, at("2026-03-02"), on_the_last_day)) == date(2026, 3, 18)


def test_art_45_what_was_suspended_before_the_start_does_not_lengthen_the_period() -> None:
    before = Suspension(at("2026-02-25"), at("2026-03-02", "09:00"))
    assert due(period(10, TimeUnit.WORKDAY, at("2026-03-02"), before)) == date(2026, 3, 16)


def test_art_45_suspended_days_lengthen_natural_days_and_suspended_hours_lengthen_hours() -> None:
    inputs = period(3, TimeUnit.NATURAL_DAY, at("2026-03-02"), Suspension(at("2026-03-03"), at("2026-03-09")))
    assert due(inputs) == date(2026, 3, 11)
    hours = period(
        3,
        TimeUnit.HOUR,
        at("2026-11-25", "14:00"),
        Suspension(at("2026-11-25", "15:00"), at("2026-11-26", "10:00")),
    )
    assert compute_deadline(hours, CALENDAR).due_at == at("2026-11-26", "12:00")


def test_an_hour_limit_that_ends_at_closing_stays_there_after_a_suspension_without_open_time() -> None:
    midday = Suspension(at("2026-11-25", "12:10"), at("2026-11-25", "12:50"))
    inputs = period(7, TimeUnit.HOUR, at("2026-11-25", "09:00"), midday)
    assert compute_deadline(inputs, CALENDAR).due_at == at("2026-11-25", "17:00")


def test_there_is_no_due_day_while_a_suspension_lasts() -> None:
    with pytest.raises(ClockRuleBroken) as refusal:
        due(period(10, TimeUnit.WORKDAY, at("2026-03-02"), Suspension(at("2026-03-04"))))
    assert refusal.value.code == "clock_suspended"


@pytest.mark.parametrize(
    ("unit", "amount", "last"),
    [
        (TimeUnit.WORKDAY, 10, date(2026, 3, 23)),
        (TimeUnit.NATURAL_DAY, 5, date(2026, 3, 16)),  # 7 March gives way to the 9th, then five working days
        (TimeUnit.HOUR, 7, date(2026, 3, 10)),
    ],
)
def test_art_42_an_extension_adds_working_days_to_any_unit(unit: TimeUnit, amount: int, last: date) -> None:
    assert due(period(amount, unit, at("2026-03-02"), extension=5)) == last


def test_elapsed_and_remaining_working_days_stand_still_while_suspended() -> None:
    inputs = period(10, TimeUnit.WORKDAY, at("2026-03-02"), Suspension(at("2026-03-04")))
    for now in (at("2026-03-04"), at("2026-03-05"), at("2026-03-20")):
        assert elapsed_workdays(inputs, CALENDAR, now) == 2
        assert remaining_workdays(inputs, CALENDAR, now) == 8


def test_remaining_working_days_are_zero_on_the_due_day_and_negative_after_it() -> None:
    inputs = period(10, TimeUnit.WORKDAY, at("2026-03-02"))
    counts = [
        remaining_workdays(inputs, CALENDAR, at(day)) for day in ("2026-03-02", "2026-03-16", "2026-03-18")
    ]
    assert counts == [10, 0, -2]
    assert elapsed_workdays(inputs, CALENDAR, at("2026-03-02")) == 0


def test_loading_the_notice_recounts_a_provisional_deadline_and_keeps_the_old_one() -> None:
    inputs = period(30, TimeUnit.WORKDAY, at("2026-11-25"))
    stored = compute_deadline(inputs, CALENDAR)
    assert (stored.due_date, stored.provisional) == (date(2027, 1, 7), True)
    recount = recompute_deadline(stored, inputs, calendar_with_4_january_off())
    assert recount.moved
    assert recount.old == stored
    assert recount.new == Deadline(
        date(2027, 1, 8), datetime(2027, 1, 8, 16, tzinfo=UTC), "cn-2027.1", provisional=False
    )


def test_a_recount_that_moves_nothing_still_makes_the_deadline_firm() -> None:
    inputs = period(27, TimeUnit.WORKDAY, at("2026-11-25"))
    stored = compute_deadline(inputs, CALENDAR)
    notice = CalendarNotice(2027, statutory_holidays(2027), {}, "虚构通知，仅供测试", "cn-2027.1")
    recount = recompute_deadline(stored, inputs, CALENDAR.with_notice(notice))
    assert not recount.moved
    assert (recount.old.provisional, recount.new.provisional) == (True, False)


@pytest.mark.parametrize(
    ("code", "unit"),
    [
        ("1", TimeUnit.WORKDAY),
        ("2", TimeUnit.NATURAL_DAY),
        ("3", TimeUnit.HOUR),
        ("4", TimeUnit.MINUTE),
        ("5", TimeUnit.MONTH),
    ],
)
def test_units_have_the_codes_of_the_exchange_tables(code: str, unit: TimeUnit) -> None:
    assert TimeUnit.from_exchange_code(code) is unit
    assert unit.exchange_code == code


def test_an_unknown_unit_code_is_refused() -> None:
    with pytest.raises(ClockRuleBroken):
        TimeUnit.from_exchange_code("G")


def test_negative_limits_and_backward_suspensions_cannot_be_built() -> None:
    with pytest.raises(ValueError, match="negative"):
        Limit(-1, TimeUnit.WORKDAY)
    with pytest.raises(ValueError, match="before it starts"):
        Suspension(at("2026-03-04"), at("2026-03-03"))


@given(st.integers(0, 40), st.integers(0, 30), st.integers(0, 30))
def test_elapsed_and_remaining_add_up_to_the_limit(limit: int, suspended_after: int, length: int) -> None:
    start = at("2026-03-02")
    begin = start + timedelta(days=suspended_after)
    inputs = period(limit, TimeUnit.WORKDAY, start, Suspension(begin, begin + timedelta(days=length)))
    deadline = compute_deadline(inputs, CALENDAR)
    now = deadline.due_at - timedelta(hours=1)
    assert elapsed_workdays(inputs, CALENDAR, now) == limit
    assert remaining_workdays(inputs, CALENDAR, now) == 0
