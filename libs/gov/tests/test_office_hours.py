"""Open time of an office."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gov_rules.calendars import published_calendar
from gov_rules.office_hours import (
    ROUND_THE_CLOCK,
    SHANGHAI,
    STANDARD_OFFICE_HOURS,
    OfficeHours,
    end_of_day,
    local_date,
)

CALENDAR = published_calendar()


def at(day: str, clock: str) -> datetime:
    return datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        (at("2026-11-25", "10:00"), 2, at("2026-11-25", "12:00")),
        (at("2026-11-25", "10:00"), 3, at("2026-11-25", "14:00")),  # over the midday break
        (at("2026-11-25", "09:00"), 7, at("2026-11-25", "17:00")),  # ends at closing, not at the next opening
        (at("2026-11-25", "16:30"), 1, at("2026-11-26", "09:30")),
        (at("2026-11-25", "20:00"), 1, at("2026-11-26", "10:00")),
        (at("2026-11-25", "07:00"), 1, at("2026-11-25", "10:00")),
        (at("2026-11-27", "16:30"), 1, at("2026-11-30", "09:30")),  # over a weekend
        (at("2026-09-30", "16:00"), 4, at("2026-10-08", "12:00")),  # over National Day
        (at("2026-02-13", "16:00"), 4, at("2026-02-14", "12:00")),  # into a make-up Saturday
    ],
)
def test_hours_run_while_the_office_is_open(start: datetime, hours: int, end: datetime) -> None:
    assert STANDARD_OFFICE_HOURS.add_time(start, timedelta(hours=hours), CALENDAR) == end


def test_the_hotline_runs_round_the_clock_on_every_day() -> None:
    start = at("2026-10-01", "23:50")
    assert ROUND_THE_CLOCK.add_time(start, timedelta(minutes=30), CALENDAR) == at("2026-10-02", "00:20")
    assert ROUND_THE_CLOCK.closing(date(2026, 10, 1)) == end_of_day(date(2026, 10, 1))


def test_open_time_leaves_out_nights_breaks_and_days_off() -> None:
    passed = STANDARD_OFFICE_HOURS.time_between(
        at("2026-11-27", "11:00"), at("2026-11-30", "10:00"), CALENDAR
    )
    assert passed == timedelta(hours=1 + 4 + 1)
    assert STANDARD_OFFICE_HOURS.time_between(
        at("2026-11-30", "10:00"), at("2026-11-27", "11:00"), CALENDAR
    ) == timedelta(0)


@given(st.integers(0, 150 * 24 * 60), st.integers(1, 60 * 80))
def test_adding_and_measuring_open_time_agree(minutes_into_the_year: int, minutes: int) -> None:
    start = at("2026-01-01", "00:00") + timedelta(minutes=minutes_into_the_year)
    amount = timedelta(minutes=minutes)
    end = STANDARD_OFFICE_HOURS.add_time(start, amount, CALENDAR)
    assert STANDARD_OFFICE_HOURS.time_between(start, end, CALENDAR) == amount


def test_a_local_day_begins_at_16_00_utc() -> None:
    assert local_date(datetime(2026, 11, 25, 15, 59, tzinfo=UTC)) == date(2026, 11, 25)
    assert local_date(datetime(2026, 11, 25, 16, 0, tzinfo=UTC)) == date(2026, 11, 26)
    assert end_of_day(date(2026, 11, 25)) == datetime(2026, 11, 25, 16, 0, tzinfo=UTC)


def test_opening_and_closing_are_instants_in_utc() -> None:
    assert STANDARD_OFFICE_HOURS.opening(date(2026, 11, 25)) == datetime(2026, 11, 25, 1, 0, tzinfo=UTC)
    assert STANDARD_OFFICE_HOURS.closing(date(2026, 11, 25)) == datetime(2026, 11, 25, 9, 0, tzinfo=UTC)


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="time zone"):
        local_date(datetime(2026, 11, 25))  # noqa: DTZ001 - the naive instant is the case under test


@pytest.mark.parametrize(
    "sessions",
    [
        (),
        ((time(13), time(17)), (time(9), time(12))),
        ((time(9), time(9)),),
        ((time(9), time(12)), (time(11), time(17))),
    ],
)
def test_sessions_out_of_order_or_overlapping_are_refused(sessions: tuple[tuple[time, time], ...]) -> None:
    with pytest.raises(ValueError, match="sessions"):
        OfficeHours(sessions)


def test_a_negative_amount_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        STANDARD_OFFICE_HOURS.add_time(at("2026-11-25", "10:00"), timedelta(hours=-1), CALENDAR)
