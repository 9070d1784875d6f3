"""全国年节及纪念日放假办法 (2024): the days off that the law names, lunar and solar dates computed."""

from datetime import UTC, date, datetime, timedelta
from math import radians, sin

import pytest

from gov_rules.calendars import published_calendar
from gov_rules.errors import CalendarUnavailable
from gov_rules.statutory_holidays import qingming, statutory_holidays


def test_order_795_art_2_names_thirteen_days_in_2027() -> None:
    assert statutory_holidays(2027) == {
        date(2027, 1, 1): "元旦",
        date(2027, 2, 5): "春节",
        date(2027, 2, 6): "春节",
        date(2027, 2, 7): "春节",
        date(2027, 2, 8): "春节",
        date(2027, 4, 5): "清明节",
        date(2027, 5, 1): "劳动节",
        date(2027, 5, 2): "劳动节",
        date(2027, 6, 9): "端午节",
        date(2027, 9, 15): "中秋节",
        date(2027, 10, 1): "国庆节",
        date(2027, 10, 2): "国庆节",
        date(2027, 10, 3): "国庆节",
    }


def test_mid_autumn_on_a_national_day_is_one_day_off() -> None:
    days = statutory_holidays(2031)  # the 15th of the eighth month is 1 October
    assert days[date(2031, 10, 1)] == "国庆节"
    assert len(days) == 12


@pytest.mark.parametrize(
    ("year", "month", "day"),
    [
        (2028, 1, 26),
        (2029, 2, 13),
        (2030, 2, 3),
        (2031, 1, 23),
        (2032, 2, 11),
        (2033, 1, 31),
        (2034, 2, 19),
        (2035, 2, 8),
        (2036, 1, 28),
    ],
)
def test_spring_festival_agrees_with_the_almanac_and_its_eve_is_off(year: int, month: int, day: int) -> None:
    first = date(year, month, day)
    springs = [day for day, name in statutory_holidays(year).items() if name == "春节"]
    assert springs == [first + timedelta(offset) for offset in (-1, 0, 1, 2)]


@pytest.mark.parametrize("year", [2025, 2026])
def test_every_day_that_the_law_names_was_off_in_the_published_years(year: int) -> None:
    calendar = published_calendar()
    assert not any(calendar.is_workday(day) for day in statutory_holidays(year))


@pytest.mark.parametrize("year", range(2008, 2027))
def test_qingming_was_off_in_every_published_year_since_2008(year: int) -> None:
    assert published_calendar().holiday_name(qingming(year)) == "清明节"


@pytest.mark.parametrize("year", range(2027, 2100))
def test_qingming_agrees_with_the_position_of_the_sun(year: int) -> None:
    # The sun passes 15° on the day itself, midnight to midnight in Beijing; two days that pass it within a quarter
    # of an hour of midnight would be beyond this series, and there is none.
    day = qingming(year)
    midnight = datetime(year, 4, day.day, tzinfo=UTC) - timedelta(hours=8)
    assert _sun_longitude(midnight) < 15 <= _sun_longitude(midnight + timedelta(days=1))


@pytest.mark.parametrize("year", [2024, 2100])
def test_years_outside_the_law_and_the_lunar_tables_are_refused(year: int) -> None:
    with pytest.raises(CalendarUnavailable):
        statutory_holidays(year)


def _sun_longitude(instant: datetime) -> float:
    """Apparent longitude in degrees to about 0.01° (Meeus, Astronomical Algorithms, ch. 25)."""
    seconds_of_delta_t = 75
    days = (instant - datetime(2000, 1, 1, 12, tzinfo=UTC)).total_seconds() + seconds_of_delta_t
    century = days / 86400 / 36525
    mean = 280.46646 + 36000.76983 * century + 0.0003032 * century**2
    anomaly = radians(357.52911 + 35999.05029 * century - 0.0001537 * century**2)
    centre = (1.914602 - 0.004817 * century) * sin(anomaly)
    centre += (0.019993 - 0.000101 * century) * sin(2 * anomaly) + 0.000289 * sin(3 * anomaly)
    node = radians(125.04 - 1934.136 * century)
    nutation = -0.00569 - 0.00478 * sin(node)
    return (mean + centre + nutation) % 360
