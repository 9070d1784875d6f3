"""The Chinese working calendar: which days are working days, and counting them.

Source: 行政许可法 art. 82 (periods of licensing are working days, public holidays excluded); 民法典 art. 201-203 (the day
on which a period starts is not counted; day 1 is the next one that counts); the State Council's yearly notices, as
carried by the package `chinesecalendar` from 2004 on.

A year whose notice is not out yet is *provisional*: weekends and the statutory holidays, no make-up days. Whatever
was counted through such a year says so, and is to be counted again when the notice is loaded.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cache
from itertools import chain
from types import MappingProxyType
from typing import NamedTuple

from chinese_calendar import constants as published

from gov_rules.errors import CalendarUnavailable
from gov_rules.notices import CalendarNotice, NoticeProblem, NoticeRejected, parse_version
from gov_rules.statutory_holidays import LAST_YEAR, statutory_holidays

_HOLIDAY_NAMES = {
    "New Year's Day": "元旦",
    "Spring Festival": "春节",
    "Tomb-sweeping Day": "清明节",
    "Labour Day": "劳动节",
    "Dragon Boat Festival": "端午节",
    "Mid-autumn Festival": "中秋节",
    "National Day": "国庆节",
    "Anti-Fascist 70th Day": "抗战胜利纪念日",
}

_ONE_DAY = timedelta(days=1)


class DayKind(StrEnum):
    """Why a day is a working day or not."""

    WORKDAY = "workday"
    MAKEUP_WORKDAY = "makeup_workday"
    WEEKEND = "weekend"
    PUBLIC_HOLIDAY = "public_holiday"


class CountedDay(NamedTuple):
    """A day found by counting; ``provisional`` when the count went through a year without a notice."""

    day: date
    provisional: bool


class _Year(NamedTuple):
    first: int  # ordinal of 1 January
    flags: bytes  # 1 for a working day, by day of the year
    workdays: tuple[int, ...]  # ordinals, ascending


@dataclass(frozen=True, eq=False)
class WorkCalendar:
    """One version of the calendar. Immutable: a notice gives a new one; years are worked out once, on first use."""

    version: str
    first_year: int
    published_years: frozenset[int]
    notices: tuple[CalendarNotice, ...] = ()
    base_holidays: Mapping[date, str] = field(default_factory=dict, repr=False)
    base_makeup_workdays: Mapping[date, str] = field(default_factory=dict, repr=False)
    _holidays: Mapping[date, str] = field(init=False, repr=False)
    _makeup: Mapping[date, str] = field(init=False, repr=False)
    _years: dict[int, _Year] = field(init=False, repr=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Lay the notices over the base, in the order in which they were loaded."""
        holidays, makeup = _lay_over(self.base_holidays, self.base_makeup_workdays, self.notices)
        object.__setattr__(self, "_holidays", MappingProxyType(holidays))
        object.__setattr__(self, "_makeup", MappingProxyType(makeup))

    def is_workday(self, day: date) -> bool:
        """Whether offices work on this local day.

        Raises: CalendarUnavailable outside 2004-2099; TypeError for a datetime.
        """
        year = self._year_of(day)
        return year.flags[day.toordinal() - year.first] == 1

    def is_provisional(self, day: date) -> bool:
        """Whether no notice has been published for the day's year."""
        _refuse_datetime(day)
        return day.year not in self.published_years

    def is_provisional_between(self, first: date, last: date) -> bool:
        """Whether a count over these days, both included, meets a year without a notice."""
        return any(number not in self.published_years for number in range(first.year, last.year + 1))

    def kind_of(self, day: date) -> DayKind:
        """Why the day is what it is."""
        if self.is_workday(day):
            return DayKind.WORKDAY if day.weekday() < 5 else DayKind.MAKEUP_WORKDAY
        return DayKind.WEEKEND if self.holiday_name(day) is None else DayKind.PUBLIC_HOLIDAY

    def holiday_name(self, day: date) -> str | None:
        """The Chinese name of the festival for which the day is off, if it is."""
        _refuse_datetime(day)
        if day.year in self.published_years or day in self._holidays:
            return self._holidays.get(day)
        return None if self.is_workday(day) else statutory_holidays(day.year).get(day)

    def add_workdays(self, start: date, days: int) -> CountedDay:
        """The last day of a period of ``days`` ≥ 0 working days; the start is day 0 and not counted.

        Source: 民法典 art. 201; 行政许可法 art. 82.
        """
        if days < 0:
            raise ValueError("a period has no negative length")
        year = self._year_of(start)
        if days == 0:
            return CountedDay(start, provisional=False)
        number = start.year
        index = bisect_right(year.workdays, start.toordinal()) + days - 1
        while index >= len(year.workdays):
            index -= len(year.workdays)
            number += 1
            year = self._year(number)
        end = date.fromordinal(year.workdays[index])
        return CountedDay(end, self.is_provisional_between(start + _ONE_DAY, end))

    def workdays_between(self, start: date, end: date) -> int:
        """Working days after ``start`` up to and including ``end``; negative when ``end`` comes first."""
        if end < start:
            return -self.workdays_between(end, start)
        total = bisect_right(self._year_of(end).workdays, end.toordinal())
        total -= bisect_right(self._year_of(start).workdays, start.toordinal())
        return total + sum(len(self._year(number).workdays) for number in range(start.year, end.year))

    def first_workday_from(self, day: date) -> CountedDay:
        """The day itself when it is a working day, else the next one (民法典 art. 203)."""
        if self.is_workday(day):
            return CountedDay(day, self.is_provisional(day))
        end = self.add_workdays(day, 1).day
        return CountedDay(end, self.is_provisional_between(day, end))

    def with_notice(self, notice: CalendarNotice) -> "WorkCalendar":
        """A new calendar with a notice loaded; it replaces earlier ones of its year unless it amends them.

        Raises: NoticeRejected when its version does not follow this one's, or it amends an unpublished year.
        """
        problems = list(self._problems_of(notice))
        if problems:
            raise NoticeRejected(problems)
        kept = tuple(old for old in self.notices if notice.amends or old.year != notice.year)
        return replace(
            self,
            version=notice.version,
            published_years=self.published_years | {notice.year},
            notices=(*kept, notice),
        )

    def with_notices(self, notices: Iterable[CalendarNotice]) -> "WorkCalendar":
        """Load the stored notices that are newer than this calendar, oldest first.

        Those that an upgrade of the published base has overtaken are left out.
        """
        calendar = self
        for notice in sorted(notices, key=lambda each: parse_version(each.version)):
            if parse_version(notice.version) > parse_version(calendar.version):
                calendar = calendar.with_notice(notice)
        return calendar

    def _problems_of(self, notice: CalendarNotice) -> Iterable[NoticeProblem]:
        latest_year = max(self.published_years | {notice.year})
        version = parse_version(notice.version)
        if version <= parse_version(self.version) or version[0] != latest_year:
            yield NoticeProblem(
                None,
                "notice_version_order",
                f"版本 {notice.version} 应晚于当前日历版本 {self.version}，且年份为 {latest_year}。",
                f"Version {notice.version} must follow {self.version} and carry the year {latest_year}.",
            )
        if notice.amends and notice.year not in self.published_years:
            yield NoticeProblem(
                None,
                "notice_amends_unpublished",
                f"{notice.year} 年尚无安排，无法调整。",
                f"There is no notice for {notice.year} that could be amended.",
            )

    def _year_of(self, day: date) -> _Year:
        _refuse_datetime(day)
        return self._years.get(day.year) or self._year(day.year)

    def _year(self, number: int) -> _Year:
        year = self._years.get(number)
        if year is None:
            year = self._years[number] = self._work_out(number)
        return year

    def _work_out(self, number: int) -> _Year:
        if not self.first_year <= number <= LAST_YEAR:
            raise CalendarUnavailable(
                "calendar_year_unavailable",
                zh=f"工作日历只覆盖 {self.first_year} 至 {LAST_YEAR} 年。",
                en=f"The work calendar covers {self.first_year} to {LAST_YEAR} only.",
            )
        # A notice for the next year may name days of this December, so the named days count even in a year
        # that has no notice of its own.
        statutory = {} if number in self.published_years else statutory_holidays(number)
        first, last = date(number, 1, 1), date(number, 12, 31)
        flags = bytearray()
        for offset in range((last - first).days + 1):
            day = first + timedelta(offset)
            off = day in self._holidays or day.weekday() >= 5 or day in statutory
            flags.append(1 if day in self._makeup or not off else 0)
        workdays = tuple(first.toordinal() + offset for offset, flag in enumerate(flags) if flag)
        return _Year(first.toordinal(), bytes(flags), workdays)


@cache
def published_calendar() -> WorkCalendar:
    """The calendar of every published notice, version ``cn-<last year>.1``."""
    years = {day.year for day in published.holidays}
    # A December day alone (a bridge before New Year) does not make a year published, New Year's Day does.
    years = {year for year in years if date(year, 1, 1) in published.holidays}
    return WorkCalendar(
        version=f"cn-{max(years)}.1",
        first_year=min(years),
        published_years=frozenset(years),
        base_holidays={day: _HOLIDAY_NAMES[name] for day, name in published.holidays.items()},
        base_makeup_workdays={day: _HOLIDAY_NAMES[name] for day, name in published.workdays.items()},
    )


def _lay_over(
    base_holidays: Mapping[date, str], base_makeup: Mapping[date, str], notices: tuple[CalendarNotice, ...]
) -> tuple[dict[date, str], dict[date, str]]:
    restated = {notice.year for notice in notices if not notice.amends}
    holidays = {day: name for day, name in base_holidays.items() if day.year not in restated}
    makeup = {day: name for day, name in base_makeup.items() if day.year not in restated}
    for notice in notices:
        for day in chain(notice.holidays, notice.makeup_workdays):
            holidays.pop(day, None)
            makeup.pop(day, None)
        holidays.update(notice.holidays)
        makeup.update(notice.makeup_workdays)
    return holidays, makeup


def _refuse_datetime(day: date) -> None:
    # A datetime is a date to Python, and its day in UTC is not the law's day in Shanghai.
    if isinstance(day, datetime):
        raise TypeError("the work calendar takes local days, not instants: convert to Asia/Shanghai first")
