"""The State Council's yearly holiday notice 节假日安排通知 as data, and its check before it moves any deadline.

A notice names days off and make-up working days 调休. It may reach into the December before its year (the notice for
2019 made 29 December 2018 a working day), and a year may be amended while it runs (2019 and 2020 were).
"""

import csv
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from gov_rules.errors import RuleBroken
from gov_rules.statutory_holidays import FIRST_YEAR, statutory_holidays

_VERSION_SHAPE = re.compile(r"cn-(\d{4})\.([1-9]\d*)")
_HEAD_SHAPE = re.compile(r"#\s*(year|version|source|amends)\s*:\s*(.+)")
_COLUMNS = ["date", "kind", "name"]


class NoticeDay(StrEnum):
    """What a notice may say of a day."""

    HOLIDAY = "holiday"
    WORKDAY = "workday"


@dataclass(frozen=True, slots=True)
class NoticeProblem:
    """One fault; ``line`` counts from 1 and is None when no single line is to blame."""

    line: int | None
    code: str
    zh: str
    en: str


class NoticeRejected(RuleBroken):
    """A notice with faults. Nothing of it is applied."""

    def __init__(self, problems: list[NoticeProblem]) -> None:
        super().__init__(
            "calendar_notice_rejected",
            zh="节假日安排有误，未载入："
            + "；".join(_with_line(problem, problem.zh) for problem in problems),
            en="The holiday notice has faults, nothing was loaded: "
            + "; ".join(_with_line(problem, problem.en) for problem in problems),
        )
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class CalendarNotice:
    """A notice ready to load; ``holidays`` and ``makeup_workdays`` map days to the festival's name.

    ``version`` is the one that the calendar gets by loading it, e.g. ``cn-2027.1``. A notice states its whole year;
    one that ``amends`` names only the days that changed.

    Raises: NoticeRejected when built with faults.
    """

    year: int
    holidays: Mapping[date, str]
    makeup_workdays: Mapping[date, str]
    source: str
    version: str
    amends: bool = False

    def __post_init__(self) -> None:
        """Check what can be checked without the calendar that it will change."""
        problems = list(_head_problems(self.source, self.version))
        problems += [_twice(None, day) for day in sorted(set(self.holidays) & set(self.makeup_workdays))]
        for day in self.holidays:
            problems += _day_problems(None, self.year, day)
        for day in self.makeup_workdays:
            problems += _day_problems(None, self.year, day)
            problems += _makeup_problems(None, day, amends=self.amends)
        problems += _missing_statutory_days(self.year, self.holidays, amends=self.amends)
        if problems:
            raise NoticeRejected(problems)


def parse_version(version: str) -> tuple[int, int]:
    """Latest published year and revision of a calendar version, comparable.

    Raises: NoticeRejected.
    """
    match = _VERSION_SHAPE.fullmatch(version)
    if match is None:
        raise NoticeRejected([_bad_version()])
    return int(match[1]), int(match[2])


def parse_notice(text: str) -> CalendarNotice:
    """Read a notice from CSV: head lines ``# year: 2027`` (version, source, amends), then ``date,kind,name``.

    Raises: NoticeRejected with every fault and its line.
    """
    lines = text.removeprefix("\ufeff").splitlines()
    problems: list[NoticeProblem] = []
    head = _read_head(lines)
    year = _read_year(head, problems)
    amends = head.get("amends", "no").lower() in {"yes", "true"}
    days: dict[NoticeDay, dict[date, str]] = {NoticeDay.HOLIDAY: {}, NoticeDay.WORKDAY: {}}
    for line, cells in _body_rows(lines):
        row = _read_row(line, cells, problems)
        if row is None:
            continue
        day, kind, name = row
        problems += _row_problems(line, day, kind, year=year, days=days, amends=amends)
        days[kind][day] = name
    if problems:
        problems += _head_problems(head.get("source", ""), head.get("version", ""))
        raise NoticeRejected(problems)
    return CalendarNotice(
        year=year,
        holidays=days[NoticeDay.HOLIDAY],
        makeup_workdays=days[NoticeDay.WORKDAY],
        source=head.get("source", ""),
        version=head.get("version", ""),
        amends=amends,
    )


def _read_head(lines: list[str]) -> dict[str, str]:
    matches = (_HEAD_SHAPE.fullmatch(line.strip()) for line in lines)
    return {match[1]: match[2].strip() for match in matches if match}


def _read_year(head: dict[str, str], problems: list[NoticeProblem]) -> int:
    year = head.get("year", "")
    if re.fullmatch(r"\d{4}", year):
        return int(year)
    problems.append(
        NoticeProblem(None, "notice_year", "缺少“# year: 四位年份”。", "The head lacks '# year: yyyy'.")
    )
    return 0


def _body_rows(lines: list[str]) -> Iterator[tuple[int, list[str]]]:
    """Rows behind the column names with their line numbers."""
    for number, line in enumerate(lines, start=1):
        if not line.strip() or line.startswith("#"):
            continue
        cells = [cell.strip() for cell in next(csv.reader([line]))]
        if cells != _COLUMNS:
            yield number, cells


def _read_row(
    line: int, cells: list[str], problems: list[NoticeProblem]
) -> tuple[date, NoticeDay, str] | None:
    try:
        day_text, kind_text, name = cells
        return date.fromisoformat(day_text), NoticeDay(kind_text), name
    except ValueError:
        problems.append(
            NoticeProblem(
                line,
                "notice_row",
                "每行应为“日期,holiday 或 workday,名称”，日期形如 2027-01-01。",
                "A row is a date like 2027-01-01, holiday or workday, and a name.",
            )
        )
        return None


def _row_problems(
    line: int,
    day: date,
    kind: NoticeDay,
    *,
    year: int,
    days: Mapping[NoticeDay, Mapping[date, str]],
    amends: bool,
) -> list[NoticeProblem]:
    problems = _day_problems(line, year, day) if year else []
    if any(day in named for named in days.values()):
        problems.append(_twice(line, day))
    if kind is NoticeDay.WORKDAY:
        problems += _makeup_problems(line, day, amends=amends)
    return problems


def _head_problems(source: str, version: str) -> Iterator[NoticeProblem]:
    if not source.strip():
        yield NoticeProblem(
            None, "notice_source", "缺少通知文号或出处。", "The source of the notice is missing."
        )
    if not _VERSION_SHAPE.fullmatch(version):
        yield _bad_version()


def _bad_version() -> NoticeProblem:
    return NoticeProblem(
        None, "notice_version", "日历版本应形如 cn-2027.1。", "A calendar version reads like cn-2027.1."
    )


def _day_problems(line: int | None, year: int, day: date) -> list[NoticeProblem]:
    if day.year == year or (day.year == year - 1 and day.month == 12):
        return []
    return [
        NoticeProblem(
            line,
            "notice_day_outside_year",
            f"{day} 不在 {year} 年（及上年 12 月）之内。",
            f"{day} is outside {year} and the December before it.",
        )
    ]


def _makeup_problems(line: int | None, day: date, *, amends: bool) -> list[NoticeProblem]:
    # Only an amendment can make a weekday a working day: it takes back a day off that was announced.
    if amends or day.weekday() >= 5:
        return []
    return [
        NoticeProblem(
            line,
            "notice_makeup_on_weekday",
            f"{day} 不是周末，不应列为调休上班日。",
            f"{day} is no weekend day and cannot be a make-up working day.",
        )
    ]


def _twice(line: int | None, day: date) -> NoticeProblem:
    return NoticeProblem(line, "notice_day_twice", f"{day} 重复出现。", f"{day} is named twice.")


def _missing_statutory_days(year: int, holidays: Mapping[date, str], *, amends: bool) -> list[NoticeProblem]:
    if amends or year < FIRST_YEAR:
        return []
    return [
        NoticeProblem(
            None,
            "notice_statutory_day_missing",
            f"缺少法定节假日 {day}（{name}）。",
            f"The statutory holiday {day} ({name}) is missing.",
        )
        for day, name in sorted(statutory_holidays(year).items())
        if day not in holidays
    ]


def _with_line(problem: NoticeProblem, sentence: str) -> str:
    return sentence if problem.line is None else f"[{problem.line}] {sentence}"
