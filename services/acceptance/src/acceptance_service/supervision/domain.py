"""When a period earns a card. Pure.

Source: standards §3.5; the thresholds are data (rules.toml). Days are local, instants UTC.
"""

import math
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from functools import cache
from importlib import resources
from typing import Any

from gov_rules.calendars import WorkCalendar
from gov_rules.clocks import STANDARD_POLICY
from gov_rules.office_hours import end_of_day, local_date
from service_common.contracts.acceptance import CardLevel
from service_common.errors import Conflict, NotFound

_OFFICE = STANDARD_POLICY.office


class PeriodKind(StrEnum):
    """What a rule watches."""

    FINISH = "FINISH"
    INTAKE = "INTAKE"
    PRE_CHECK = "PRE_CHECK"
    STEP = "STEP"
    SPECIAL_PROCEDURE = "SPECIAL_PROCEDURE"
    DELIVERY = "DELIVERY"


class CardStatus(StrEnum):
    """Life of a card. It is never deleted."""

    ISSUED = "ISSUED"
    EXPLAINED = "EXPLAINED"
    UPHELD = "UPHELD"
    CANCELLED = "CANCELLED"


class NoSuchCard(NotFound):
    """Not there, or of another division."""

    code = "no_such_card"
    zh = "没有找到该监察牌。"
    en = "There is no such card."


class CardClosed(Conflict):
    """Verified already."""

    code = "card_closed"
    zh = "该监察牌已核定（{status}），不能再变更。"
    en = "The card was verified already ({status})."


@dataclass(frozen=True, slots=True)
class Period:
    """A period of a case; ``hard_due_at`` is the legal limit behind a promised one.

    ``ended_at``: it is over. Then it earns what it had missed by that moment, whenever somebody looks, and no warning any more.
    """

    kind: PeriodKind
    started_at: datetime
    due_at: datetime
    hard_due_at: datetime | None = None
    ended_at: datetime | None = None

    def can_reach(self, at: datetime) -> bool:
        """Whether a threshold counts: every one while the period runs, afterwards those it had missed."""
        return self.ended_at is None or self.due_at <= at <= self.ended_at


@dataclass(frozen=True, slots=True)
class Moment:
    """One threshold as it stands in the table; exactly one attribute is set."""

    share: float | None = None
    workdays_left: int | None = None
    office_hours_left: int | None = None
    passed: bool = False
    workdays_after: int | None = None
    hard_passed: bool = False

    def instant(self, period: Period, calendar: WorkCalendar) -> datetime | None:
        """When the threshold is reached; None when the period has no such moment."""
        # A deadline is the first instant after its day, so the day itself lies just before.
        due_day = local_date(period.due_at - timedelta(microseconds=1))
        start_day = local_date(period.started_at)
        if self.share is not None:
            used = math.ceil(self.share * max(calendar.workdays_between(start_day, due_day), 0))
            day = calendar.add_workdays(start_day, used).day
            # "80 % used" is true from the morning of that day; twice the period only when that day is over.
            return _morning(day) if self.share < 1 else end_of_day(day)
        if self.workdays_left is not None:
            return _morning(_workdays_before(due_day, self.workdays_left, calendar))
        if self.office_hours_left is not None:
            return _hours_before_closing(due_day, self.office_hours_left)
        if self.workdays_after is not None:
            return end_of_day(calendar.add_workdays(due_day, self.workdays_after).day)
        return period.hard_due_at if self.hard_passed else period.due_at


@dataclass(frozen=True, slots=True)
class Rule:
    """A row of the table."""

    name: str
    label: str
    period: PeriodKind
    levels: Mapping[CardLevel, tuple[Moment, ...]]


@dataclass(frozen=True, slots=True)
class Trigger:
    """A level of a rule, and the instant at which it is reached."""

    rule: str
    level: CardLevel
    at: datetime


@cache
def supervision_rules() -> tuple[Rule, ...]:
    """The table that ships with the service."""
    text = (resources.files("acceptance_service") / "supervision" / "rules.toml").read_text(encoding="utf-8")
    return parse_rules(text)


def parse_rules(text: str) -> tuple[Rule, ...]:
    """Reads a table. Raises: ValueError, KeyError, TypeError on anything that it does not know."""
    return tuple(_rule(one) for one in tomllib.loads(text)["rule"])


def triggers(periods: Iterable[Period], rules: Iterable[Rule], calendar: WorkCalendar) -> list[Trigger]:
    """Every level that the periods have reached or can reach, earliest first."""
    by_kind: dict[PeriodKind, list[Rule]] = {}
    for rule in rules:
        by_kind.setdefault(rule.period, []).append(rule)
    found = []
    for period in periods:
        for rule in by_kind.get(period.kind, []):
            for level, moments in rule.levels.items():
                instants = [at for one in moments if (at := one.instant(period, calendar)) is not None]
                if period.can_reach(first := min(instants)):
                    found.append(Trigger(rule.name, level, first))
    return sorted(found, key=lambda one: one.at)


def need_open(status: CardStatus) -> None:
    """Only a card that is not verified can be changed. Raises: CardClosed."""
    if status in (CardStatus.UPHELD, CardStatus.CANCELLED):
        raise CardClosed(status=status)


def _rule(row: Mapping[str, Any]) -> Rule:
    levels = {level: tuple(Moment(**one) for one in row[level.value]) for level in CardLevel}
    return Rule(row["name"], row["label"], PeriodKind(row["period"]), levels)


def _morning(day: date) -> datetime:
    return end_of_day(day - timedelta(days=1))


def _workdays_before(day: date, count: int, calendar: WorkCalendar) -> date:
    while count:
        day -= timedelta(days=1)
        if calendar.is_workday(day):
            count -= 1
    return day


def _hours_before_closing(day: date, hours: int) -> datetime:
    """So much open time before the office closes, its breaks left out."""
    left = timedelta(hours=hours)
    for begins, ends in reversed(_OFFICE.sessions):
        length = timedelta(hours=ends.hour - begins.hour, minutes=ends.minute - begins.minute)
        if left <= length:
            closes = _OFFICE.closing(day) - timedelta(
                hours=_OFFICE.sessions[-1][1].hour - ends.hour,
                minutes=_OFFICE.sessions[-1][1].minute - ends.minute,
            )
            return closes - left
        left -= length
    return _OFFICE.opening(day)
