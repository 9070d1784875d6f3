"""The clocks of a case: the five days of Art. 32, the statutory and the promised limit, correction, delivery. Pure.

Days are local days in Asia/Shanghai, instants are UTC; a deadline has passed at its instant (24:00 of the due day).
Source: 行政许可法 Art. 32, 42, 44, 45, 82; 民法典 Art. 201-203.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, TypeGuard

from acceptance_service.catalogue.domain import Limit as GuideLimit
from acceptance_service.catalogue.domain import LimitUnit, ProjectType
from gov_rules.calendars import WorkCalendar
from gov_rules.clocks import Deadline, DeadlineInputs, Limit, Suspension, TimeUnit, compute_deadline
from gov_rules.errors import ClockRuleBroken
from gov_rules.licensing_law import (
    DECISION_LIMIT,
    DELIVERY_LIMIT,
    JOINT_DECISION_LIMIT,
    ONE_OFF_NOTICE_LIMIT,
    OneOffNoticeTimer,
    extend,
    resume,
    start_one_off_notice_timer,
    suspend,
)
from service_common.errors import Conflict

_UNITS = {
    LimitUnit.WORKDAY: TimeUnit.WORKDAY,
    LimitUnit.CALENDAR_DAY: TimeUnit.NATURAL_DAY,
    LimitUnit.HOUR: TimeUnit.HOUR,
}


class ClockRefused(Conflict):
    """The law of time limits does not allow the step; the sentence says which rule."""

    code = "clock_rule"
    zh = "{zh}"
    en = "{en}"

    @classmethod
    def because(cls, broken: ClockRuleBroken) -> "ClockRefused":
        """Carries the rule's own sentences."""
        return cls(zh=broken.zh, en=broken.en)


@dataclass(frozen=True, slots=True)
class CaseClock:
    """What both deadlines of an accepted case follow from; kept with the case, so that they can be counted again.

    ``promise_missed``: the promised day had passed when the limit was extended. Art. 42 lengthens the legal limit then, and
    makes no broken promise good.
    """

    started_at: datetime
    statutory: Limit
    promised: Limit
    suspensions: tuple[Suspension, ...] = ()
    extension_workdays: int = 0
    promise_missed: bool = False

    @classmethod
    def start(
        cls,
        accepted_at: datetime,
        *,
        statutory: GuideLimit | None,
        promised: GuideLimit | None,
        project_type: ProjectType,
    ) -> "CaseClock":
        """Starts at acceptance. Without a guide's own limit the law's applies: 20 working days, 45 joint (Art. 42)."""
        by_law = JOINT_DECISION_LIMIT if project_type is ProjectType.JOINT else DECISION_LIMIT
        limit = _limit(statutory) if statutory else by_law
        return cls(accepted_at, limit, _limit(promised) if promised else limit)

    @property
    def is_suspended(self) -> bool:
        """Whether a special procedure lasts."""
        return self._inputs(self.statutory).is_suspended

    def due(self, calendar: WorkCalendar) -> "CaseDue | None":
        """Both deadlines; None while suspended, there is no due day then. A promise never outlasts the law."""
        if self.is_suspended:
            return None
        statutory = compute_deadline(self._inputs(self.statutory), calendar)
        promised = compute_deadline(self._promise, calendar)
        return CaseDue(statutory, min(promised, statutory, key=lambda one: one.due_at))

    def suspended(self, at: datetime) -> "CaseClock":
        """Stopped by a special procedure (Art. 45). Raises: ClockRefused."""
        try:
            return self._with(suspend(self._inputs(self.statutory), at))
        except ClockRuleBroken as broken:
            raise ClockRefused.because(broken) from broken

    def resumed(self, at: datetime) -> "CaseClock":
        """Running again after the special procedure (Art. 45). Raises: ClockRefused."""
        try:
            return self._with(resume(self._inputs(self.statutory), at))
        except ClockRuleBroken as broken:
            raise ClockRefused.because(broken) from broken

    def extended(self, workdays: int, at: datetime, calendar: WorkCalendar, *, joint: bool) -> "CaseClock":
        """Lengthened once, by at most 10 working days, 15 joint (Art. 42). Raises: ClockRefused."""
        try:
            extended = self._with(extend(self._inputs(self.statutory), workdays, at, calendar, joint=joint))
        except ClockRuleBroken as broken:
            raise ClockRefused.because(broken) from broken
        missed = compute_deadline(self._promise.closed_at(at), calendar).has_passed(at)
        return replace(extended, promise_missed=missed)

    def dump(self) -> dict[str, Any]:
        """As JSON, for the row of the case."""
        return {
            "started_at": self.started_at.isoformat(),
            "statutory": [self.statutory.amount, self.statutory.unit.value],
            "promised": [self.promised.amount, self.promised.unit.value],
            "suspensions": [
                [one.started_at.isoformat(), one.ended_at.isoformat() if one.ended_at else None]
                for one in self.suspensions
            ],
            "extension_workdays": self.extension_workdays,
            "promise_missed": self.promise_missed,
        }

    @classmethod
    def load(cls, stored: Mapping[str, Any]) -> "CaseClock":
        """Reads what ``dump`` wrote."""
        return cls(
            datetime.fromisoformat(stored["started_at"]),
            Limit(stored["statutory"][0], TimeUnit(stored["statutory"][1])),
            Limit(stored["promised"][0], TimeUnit(stored["promised"][1])),
            tuple(
                Suspension(datetime.fromisoformat(begin), datetime.fromisoformat(end) if end else None)
                for begin, end in stored["suspensions"]
            ),
            stored["extension_workdays"],
            stored.get("promise_missed", False),
        )

    def _inputs(self, limit: Limit) -> DeadlineInputs:
        return DeadlineInputs(limit, self.started_at, self.suspensions, self.extension_workdays)

    @property
    def _promise(self) -> DeadlineInputs:
        inputs = self._inputs(self.promised)
        return replace(inputs, extension_workdays=0) if self.promise_missed else inputs

    def _with(self, inputs: DeadlineInputs) -> "CaseClock":
        return replace(self, suspensions=inputs.suspensions, extension_workdays=inputs.extension_workdays)


@dataclass(frozen=True, slots=True)
class CaseDue:
    """Both deadlines of an accepted case, counted on one calendar."""

    statutory: Deadline
    promised: Deadline

    @property
    def provisional(self) -> bool:
        """Whether a year without a published notice was counted through."""
        return self.statutory.provisional or self.promised.provisional


def missed(due_at: datetime | None, done_at: datetime | None) -> TypeGuard[datetime]:
    """Whether something was done only after its time; not, as long as it is not done or has no time."""
    return due_at is not None and done_at is not None and done_at >= due_at


def intake_timer(submitted_at: datetime, calendar: WorkCalendar) -> OneOffNoticeTimer:
    """The five working days to answer, from the first submission; after office hours means the next working day."""
    return start_one_off_notice_timer([submitted_at], calendar)


def recount_intake(received_at: datetime, calendar: WorkCalendar) -> Deadline:
    """The end of the five days on another calendar, from the moment that counted as receipt."""
    return compute_deadline(DeadlineInputs(ONE_OFF_NOTICE_LIMIT, received_at), calendar)


def workdays_from(start: datetime, days: int, calendar: WorkCalendar) -> Deadline:
    """A period of working days from an instant: for corrections, supplements, tasks."""
    return compute_deadline(DeadlineInputs(Limit(days, TimeUnit.WORKDAY), start), calendar)


def delivery_due(decided_at: datetime, calendar: WorkCalendar) -> Deadline:
    """Ten working days to issue and deliver after the decision (Art. 44)."""
    return compute_deadline(DeadlineInputs(DELIVERY_LIMIT, decided_at), calendar)


def limit_due(start: datetime, limit: GuideLimit, calendar: WorkCalendar) -> Deadline:
    """The deadline of a limit as the guide states it, e.g. the promised total of a bundle."""
    return compute_deadline(DeadlineInputs(_limit(limit), start), calendar)


def _limit(stated: GuideLimit) -> Limit:
    return Limit(stated.value, _UNITS[stated.unit])
