"""The days off that the law itself names, computed for years without a published notice.

Source: 全国年节及纪念日放假办法 art. 2, as amended by State Council Order 795 (in force 2025-01-01): New Year 1 day,
Spring Festival 4 (the eve and the first three days), Qingming 1, Labour Day 2, Dragon Boat 1, Mid-Autumn 1,
National Day 3. Art. 6 also grants a day for each that falls on a weekend; which day, only the notice says, so none is
invented here.
"""

from datetime import date, timedelta

from lunar_python import Lunar

from gov_rules.errors import CalendarUnavailable

FIRST_YEAR = 2025
LAST_YEAR = 2099  # the last year of the lunar tables, and of the century constant of the Qingming formula


def statutory_holidays(year: int) -> dict[date, str]:
    """The thirteen statutory days off with their Chinese names; twelve when two festivals meet on one day.

    Raises: CalendarUnavailable outside 2025-2099.
    """
    if not FIRST_YEAR <= year <= LAST_YEAR:
        raise CalendarUnavailable(
            "statutory_holidays_unknown",
            zh=f"法定节假日只能推算 {FIRST_YEAR} 至 {LAST_YEAR} 年。",
            en=f"Statutory holidays can be computed for {FIRST_YEAR} to {LAST_YEAR} only.",
        )
    new_year_by_moon = _lunar_day(year, 1, 1)
    days = {date(year, 1, 1): "元旦"}
    days |= {new_year_by_moon + timedelta(offset): "春节" for offset in range(-1, 3)}
    days[qingming(year)] = "清明节"
    days |= {date(year, 5, day): "劳动节" for day in (1, 2)}
    days[_lunar_day(year, 5, 5)] = "端午节"
    days |= {date(year, 10, day): "国庆节" for day in (1, 2, 3)}
    days.setdefault(_lunar_day(year, 8, 15), "中秋节")
    return days


def qingming(year: int) -> date:
    """The day on which the sun reaches 15° of longitude, by the century formula [Y×0.2422+4.81]-[Y/4] (2000-2099)."""
    year_of_century = year % 100
    return date(year, 4, int(year_of_century * 0.2422 + 4.81) - year_of_century // 4)


def _lunar_day(year: int, month: int, day: int) -> date:
    solar = Lunar.fromYmd(year, month, day).getSolar()
    return date(solar.getYear(), solar.getMonth(), solar.getDay())
