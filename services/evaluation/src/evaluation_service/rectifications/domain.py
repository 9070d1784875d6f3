"""How a bad review is put right 差评整改, and until when. Pure.

Source: standards §6.5 (assign ≤ 1 working day, contact ≤ 3, rectify ≤ 15), 国办发〔2019〕51号 (谁办理、谁负责).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from gov_rules.calendars import WorkCalendar
from gov_rules.clocks import Deadline, DeadlineInputs, Limit, TimeUnit, compute_deadline
from gov_rules.divisions import is_within
from service_common.errors import Conflict, NotFound


class Stage(StrEnum):
    """Where a rectification stands."""

    OPENED = "OPENED"
    ASSIGNED = "ASSIGNED"
    CONTACTED = "CONTACTED"
    ANSWERED = "ANSWERED"
    CLOSED = "CLOSED"


class Step(StrEnum):
    """What is done to it."""

    ASSIGN = "ASSIGN"
    CONTACT = "CONTACT"
    ANSWER = "ANSWER"
    SEND_BACK = "SEND_BACK"
    CLOSE = "CLOSE"


class Outcome(StrEnum):
    """How the supervisor closed it: mended, explained because the demand has no legal basis, or neither."""

    RECTIFIED = "RECTIFIED"
    EXPLAINED = "EXPLAINED"
    NOT_RECTIFIED = "NOT_RECTIFIED"


STAGE_LABELS: Mapping[Stage, str] = {
    Stage.OPENED: "待交办",
    Stage.ASSIGNED: "待联系",
    Stage.CONTACTED: "整改中",
    Stage.ANSWERED: "已答复",
    Stage.CLOSED: "已办结",
}


# While the department is to do something, and its limits run.
RUNNING = frozenset({Stage.OPENED, Stage.ASSIGNED, Stage.CONTACTED})


class NoSuchRectification(NotFound):
    """It does not exist, or is another department's."""

    code = "no_such_rectification"
    zh = "没有找到该差评整改。"
    en = "There is no such rectification."


class StepNotNow(Conflict):
    """It stands elsewhere."""

    code = "rectification_stage_conflict"
    zh = "差评整改当前为“{stage}”，不能进行此操作。"
    en = "The rectification is {stage}: this cannot be done now."


class NothingAnswered(Conflict):
    """There is no answer yet that could be judged."""

    code = "rectification_not_answered"
    zh = "承办部门尚未答复，暂不能评价整改结果。"
    en = "The department has not answered yet: there is nothing to judge."


class AlreadyReReviewed(Conflict):
    """One judgement for each answer."""

    code = "already_re_reviewed"
    zh = "整改结果已经评价。"
    en = "The answer was judged already."


_NEXT: Mapping[tuple[Stage, Step], Stage] = {
    (Stage.OPENED, Step.ASSIGN): Stage.ASSIGNED,
    (Stage.ASSIGNED, Step.CONTACT): Stage.CONTACTED,
    (Stage.CONTACTED, Step.ANSWER): Stage.ANSWERED,
    (Stage.ANSWERED, Step.SEND_BACK): Stage.CONTACTED,
    (Stage.ANSWERED, Step.CLOSE): Stage.CLOSED,
}


def next_stage(stage: Stage, step: Step) -> Stage:
    """Where a step leads. Raises: StepNotNow."""
    following = _NEXT.get((stage, step))
    if following is None:
        raise StepNotNow(stage=STAGE_LABELS[stage])
    return following


def check_re_review(stage: Stage, judged: bool | None) -> None:
    """Raises: NothingAnswered, AlreadyReReviewed."""
    if stage not in {Stage.ANSWERED, Stage.CLOSED}:
        raise NothingAnswered
    if judged is not None:
        raise AlreadyReReviewed


@dataclass(frozen=True, slots=True)
class RectificationLimits:
    """Working days from the bad review, each counted from its day."""

    assign: int
    contact: int
    rectify: int

    def dump(self) -> list[Any]:
        """As JSON, for the row of the rectification."""
        return [self.assign, self.contact, self.rectify]


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Until when there must be a handler, a contact, an answer."""

    assign: Deadline
    contact: Deadline
    rectify: Deadline

    @classmethod
    def count(cls, limits: RectificationLimits, opened_at: datetime, calendar: WorkCalendar) -> "Deadlines":
        """Counts all three on one calendar."""

        def due(workdays: int) -> Deadline:
            return compute_deadline(DeadlineInputs(Limit(workdays, TimeUnit.WORKDAY), opened_at), calendar)

        return cls(due(limits.assign), due(limits.contact), due(limits.rectify))

    def of(self, stage: Stage) -> Deadline | None:
        """The one that runs at a stage; none after the answer."""
        running = {Stage.OPENED: self.assign, Stage.ASSIGNED: self.contact, Stage.CONTACTED: self.rectify}
        return running.get(stage)

    @property
    def provisional(self) -> bool:
        """Whether a year without a published notice was counted through."""
        return self.assign.provisional or self.contact.provisional or self.rectify.provisional


def is_put_right(outcome: Outcome) -> bool:
    """Whether it counts for the rectification rate."""
    return outcome in {Outcome.RECTIFIED, Outcome.EXPLAINED}


@dataclass(frozen=True, slots=True)
class Officer:
    """Who looks at a rectification."""

    department_id: UUID | None
    division: str | None
    supervises: bool

    def sees(self, department_id: UUID, division: str) -> bool:
        """A supervisor the whole area, everybody else the own department's."""
        if self.supervises and self.division is not None and is_within(division, self.division):
            return True
        return self.department_id is not None and self.department_id == department_id
