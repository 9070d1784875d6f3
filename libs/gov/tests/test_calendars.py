"""The working calendar: published years, provisional years, notices, counting."""

import csv
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gov_rules.calendars import CountedDay, DayKind, WorkCalendar, published_calendar
from gov_rules.errors import CalendarUnavailable
from gov_rules.notices import CalendarNotice, NoticeRejected
from gov_rules.statutory_holidays import statutory_holidays

CALENDAR = published_calendar()
EXCEPTION_DAYS = Path(__file__).parent / "calendar_data" / "exception_days_2017_2026.csv"
ONE_DAY = timedelta(days=1)

local_days = st.dates(date(2004, 1, 1), date(2035, 12, 31))


def fictitious_notice(
    *, version: str = "cn-2027.1", off: tuple[date, ...] = (), worked: tuple[date, ...] = ()
) -> CalendarNotice:
    return CalendarNotice(
        year=2027,
        holidays=statutory_holidays(2027) | dict.fromkeys(off, "虚构"),
        makeup_workdays=dict.fromkeys(worked, "虚构"),
        source="虚构通知，仅供测试",
        version=version,
    )


def test_the_published_calendar_covers_2004_to_2026_and_says_its_version() -> None:
    assert CALENDAR.version == "cn-2026.1"
    assert CALENDAR.published_years == frozenset(range(2004, 2027))


def test_all_3652_days_from_2017_to_2026_agree_with_the_state_council_notices() -> None:
    expected = _exception_days()
    day, checked = date(2017, 1, 1), 0
    while day.year < 2027:
        weekend = day.weekday() >= 5
        assert CALENDAR.is_workday(day) is ((day in expected) if weekend else (day not in expected)), day
        day, checked = day + ONE_DAY, checked + 1
    assert checked == 3652


@pytest.mark.parametrize(
    ("day", "kind", "name"),
    [
        (date(2026, 2, 13), DayKind.WORKDAY, None),
        (date(2026, 2, 14), DayKind.MAKEUP_WORKDAY, None),
        (date(2026, 2, 17), DayKind.PUBLIC_HOLIDAY, "春节"),
        (date(2026, 3, 7), DayKind.WEEKEND, None),
        (date(2027, 2, 8), DayKind.PUBLIC_HOLIDAY, "春节"),
        (date(2027, 2, 13), DayKind.WEEKEND, None),
        (date(2027, 2, 9), DayKind.WORKDAY, None),
    ],
)
def test_a_day_tells_why_it_is_worked_or_off(day: date, kind: DayKind, name: str | None) -> None:
    assert (CALENDAR.kind_of(day), CALENDAR.holiday_name(day)) == (kind, name)


def test_licensing_law_art_82_the_start_is_day_0_and_make_up_days_count() -> None:
    # Friday 2026-02-13 is day 0, Saturday the 14th is worked, then Spring Festival until the 23rd.
    assert CALENDAR.add_workdays(date(2026, 2, 13), 1) == CountedDay(date(2026, 2, 14), provisional=False)
    assert CALENDAR.add_workdays(date(2026, 2, 13), 2).day == date(2026, 2, 24)
    assert CALENDAR.add_workdays(date(2026, 2, 13), 0).day == date(2026, 2, 13)


def test_the_extended_spring_festival_of_2020_and_the_amended_may_of_2019_are_known() -> None:
    assert CALENDAR.add_workdays(date(2020, 1, 23), 1).day == date(2020, 2, 3)
    assert CALENDAR.add_workdays(date(2019, 4, 30), 1).day == date(2019, 5, 5)


def test_thirty_working_days_from_25_november_2026_end_provisionally_on_7_january_2027() -> None:
    # By hand: 26, 27, 30 November (3), 1-31 December without weekends (23) make 26; 1 January is off, the 2nd and 3rd
    # are a weekend; 4, 5, 6, 7 January make 30.
    assert CALENDAR.add_workdays(date(2026, 11, 25), 30) == CountedDay(date(2027, 1, 7), provisional=True)
    assert CALENDAR.add_workdays(date(2026, 11, 25), 26) == CountedDay(date(2026, 12, 31), provisional=False)


def test_loading_a_notice_for_2027_moves_the_end_and_makes_it_firm() -> None:
    notice = fictitious_notice(off=(date(2027, 1, 4),), worked=(date(2027, 1, 9),))
    calendar = CALENDAR.with_notice(notice)
    assert calendar.version == "cn-2027.1"
    assert calendar.add_workdays(date(2026, 11, 25), 30) == CountedDay(date(2027, 1, 8), provisional=False)
    assert calendar.add_workdays(date(2026, 11, 25), 31).day == date(2027, 1, 9)
    assert CALENDAR.add_workdays(date(2026, 11, 25), 30).provisional


def test_a_notice_for_2027_may_make_a_sunday_of_december_2026_a_working_day() -> None:
    calendar = CALENDAR.with_notice(fictitious_notice(worked=(date(2026, 12, 27),)))
    assert calendar.kind_of(date(2026, 12, 27)) is DayKind.MAKEUP_WORKDAY
    assert calendar.add_workdays(date(2026, 11, 25), 30).day == date(2027, 1, 6)


def test_a_provisional_year_has_the_statutory_days_off_and_no_make_up_days() -> None:
    days = [date(2027, 1, 1) + timedelta(offset) for offset in range(365)]
    off = {day for day in days if not CALENDAR.is_workday(day)}
    assert off == {day for day in days if day.weekday() >= 5} | set(statutory_holidays(2027))
    assert all(CALENDAR.is_provisional(day) for day in days)
    assert not CALENDAR.is_provisional(date(2026, 12, 31))


def test_an_amendment_in_mid_year_changes_only_the_days_that_it_names() -> None:
    amendment = CalendarNotice(
        year=2026,
        holidays={date(2026, 10, 10): "虚构", date(2026, 12, 28): "虚构"},
        makeup_workdays={date(2026, 10, 7): "虚构", date(2026, 12, 26): "虚构"},
        source="虚构通知，仅供测试",
        version="cn-2026.2",
        amends=True,
    )
    calendar = CALENDAR.with_notice(amendment)
    changed = [
        day
        for day in (date(2026, 1, 1) + timedelta(offset) for offset in range(365))
        if calendar.is_workday(day) != CALENDAR.is_workday(day)
    ]
    assert changed == [date(2026, 10, day) for day in (7, 10)] + [date(2026, 12, day) for day in (26, 28)]
    # A day off was taken back, and a make-up day became one off, as 1 February 2020 did.
    assert (calendar.kind_of(date(2026, 10, 7)), calendar.holiday_name(date(2026, 10, 7))) == (
        DayKind.WORKDAY,
        None,
    )
    assert calendar.kind_of(date(2026, 10, 10)) is DayKind.PUBLIC_HOLIDAY


def test_a_second_notice_for_a_year_replaces_the_first_down_to_its_december() -> None:
    first = fictitious_notice(off=(date(2027, 1, 4),), worked=(date(2026, 12, 27),))
    second = fictitious_notice(version="cn-2027.2", off=(date(2027, 1, 5),))
    calendar = CALENDAR.with_notice(first).with_notice(second)
    assert calendar.notices == (second,)
    assert calendar.is_workday(date(2027, 1, 4))
    assert not calendar.is_workday(date(2027, 1, 5))
    assert not calendar.is_workday(date(2026, 12, 27))


def test_stored_notices_load_in_order_and_those_already_contained_are_skipped() -> None:
    first, second = fictitious_notice(), fictitious_notice(version="cn-2027.2", off=(date(2027, 1, 4),))
    calendar = CALENDAR.with_notices([second, first])
    assert calendar.version == "cn-2027.2"
    assert calendar.with_notices([first, second]) is calendar


@pytest.mark.parametrize("version", ["cn-2026.1", "cn-2026.9", "cn-2028.1"])
def test_a_notice_must_follow_the_calendar_and_carry_the_latest_year(version: str) -> None:
    with pytest.raises(NoticeRejected) as refusal:
        CALENDAR.with_notice(fictitious_notice(version=version))
    assert [problem.code for problem in refusal.value.problems] == ["notice_version_order"]


def test_a_year_without_a_notice_cannot_be_amended() -> None:
    notice = CalendarNotice(2027, {date(2027, 1, 4): "x"}, {}, "虚构", "cn-2027.1", amends=True)
    with pytest.raises(NoticeRejected) as refusal:
        CALENDAR.with_notice(notice)
    assert [problem.code for problem in refusal.value.problems] == ["notice_amends_unpublished"]


def test_civil_code_art_203_a_day_off_gives_way_to_the_next_working_day() -> None:
    assert CALENDAR.first_workday_from(date(2026, 10, 1)) == CountedDay(date(2026, 10, 8), provisional=False)
    assert CALENDAR.first_workday_from(date(2026, 10, 8)).day == date(2026, 10, 8)
    assert CALENDAR.first_workday_from(date(2027, 1, 1)) == CountedDay(date(2027, 1, 4), provisional=True)


def test_an_instant_is_no_day_and_is_refused() -> None:
    with pytest.raises(TypeError):
        CALENDAR.is_workday(datetime(2026, 11, 25, 17, tzinfo=UTC))
    with pytest.raises(TypeError):
        CALENDAR.add_workdays(datetime(2026, 11, 25, 17, tzinfo=UTC), 1)


@pytest.mark.parametrize("day", [date(2003, 12, 31), date(2100, 1, 1)])
def test_days_outside_the_known_and_computable_years_are_refused(day: date) -> None:
    with pytest.raises(CalendarUnavailable):
        CALENDAR.is_workday(day)


def test_a_period_has_no_negative_length() -> None:
    with pytest.raises(ValueError, match="negative"):
        CALENDAR.add_workdays(date(2026, 11, 25), -1)


@given(local_days, st.integers(1, 400))
def test_counting_forth_and_counting_between_agree(start: date, days: int) -> None:
    end = CALENDAR.add_workdays(start, days).day
    assert CALENDAR.is_workday(end)
    assert CALENDAR.workdays_between(start, end) == days
    assert CALENDAR.workdays_between(end, start) == -days
    assert CALENDAR.workdays_between(start, end - ONE_DAY) == days - 1


@given(local_days, st.integers(0, 60))
def test_counting_agrees_with_walking_day_by_day(start: date, days: int) -> None:
    day, left = start, days
    while left:
        day += ONE_DAY
        left -= CALENDAR.is_workday(day)
    assert CALENDAR.add_workdays(start, days).day == day


def test_a_count_takes_microseconds() -> None:
    calendar, start = published_calendar(), date(2026, 3, 2)
    calendar.add_workdays(start, 20)
    begun = time.process_time()
    for _ in range(10_000):
        calendar.add_workdays(start, 20)
        calendar.is_workday(start)
    per_pair = (time.process_time() - begun) / 10_000
    assert per_pair < 100e-6  # about 2 µs on a quiet machine


def test_each_calendar_keeps_its_own_days() -> None:
    other = CALENDAR.with_notice(fictitious_notice(off=(date(2027, 1, 4),)))
    assert isinstance(other, WorkCalendar)
    assert CALENDAR.is_workday(date(2027, 1, 4))
    assert not other.is_workday(date(2027, 1, 4))


def _exception_days() -> set[date]:
    """Weekdays off and weekend days worked, from the digest."""
    with EXCEPTION_DAYS.open(encoding="utf-8", newline="") as file:
        return {
            date(int(row["year"]), int(day[:2]), int(day[2:]))
            for row in csv.DictReader(file)
            for column in ("weekdays_off", "weekend_days_worked")
            for day in row[column].split()
        }
