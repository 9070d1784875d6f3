"""HTTP shapes of rectifications."""

from datetime import date, datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from evaluation_service.rectifications.domain import STAGE_LABELS, Outcome, Stage
from evaluation_service.rectifications.handlers.answering import Texts
from evaluation_service.rectifications.handlers.reading import History
from evaluation_service.rectifications.models import Rectification
from service_common.contracts.evaluation import Grade

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]


class AssignBody(BaseModel):
    """Who in the department takes it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"assignee": "01930000-0000-7000-8000-000000000305"}]},
    )

    assignee: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100)] = Field(
        description="Staff id, or the department's own mark of the person."
    )


class ContactBody(BaseModel):
    """What the reviewer is written, without the department knowing who that is."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"message": "我们正在核实您反映的问题，三日内答复。"}]},
    )

    message: Text


class AnswerBody(BaseModel):
    """What was mended, or why it cannot be."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"answer": "已补充材料样本并更新办事指南，向您致歉。"}]},
    )

    answer: Text


class CloseBody(BaseModel):
    """What the supervisor found."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"outcome": "RECTIFIED"}]})

    outcome: Outcome


class DeadlineRead(BaseModel):
    """A due instant with the local date, and the calendar it was counted on."""

    due_at: datetime
    due_date: date
    calendar_version: str
    provisional: bool


class RectificationSummary(BaseModel):
    """A rectification in a list."""

    id: UUID
    review_id: UUID
    department_id: UUID
    division: str
    item_code: str | None
    grade: Grade
    reasons: list[str]
    stage: Stage
    stage_label: str
    overdue: bool = Field(description="A limit was missed, now or at an earlier step.")
    overdue_stage: Stage | None
    assign_deadline: DeadlineRead
    contact_deadline: DeadlineRead
    rectify_deadline: DeadlineRead
    re_review_satisfied: bool | None
    outcome: Outcome | None

    @classmethod
    def of(cls, row: Rectification) -> Self:
        """Without its texts."""
        return cls.model_validate(_summary(row))


class RectificationRead(RectificationSummary):
    """A rectification with its texts. Nothing in it says whose review it was."""

    text: str | None = Field(description="What the reviewer wrote, screened of personal numbers.")
    assignee: str | None
    message: str | None
    answer: str | None
    assigned_at: datetime | None
    contacted_at: datetime | None
    answered_at: datetime | None
    closed_at: datetime | None
    version: int

    @classmethod
    def with_texts(cls, row: Rectification, texts: Texts) -> Self:
        """For its department and its supervisor."""
        return cls.model_validate(
            _summary(row)
            | {
                "text": texts.review,
                "assignee": row.assignee,
                "message": texts.message,
                "answer": texts.answer,
                "assigned_at": row.assigned_at,
                "contacted_at": row.contacted_at,
                "answered_at": row.answered_at,
                "closed_at": row.closed_at,
                "version": row.version,
            }
        )


class TimelineEntryRead(BaseModel):
    """One entry. ``hash`` covers it and the hash before it."""

    sequence: int
    at: datetime
    action: str
    actor_kind: str
    actor_id: str | None = Field(description="Absent for the reviewer.")
    facts: dict[str, Any]
    hash: str


class TimelineRead(BaseModel):
    """A rectification's history."""

    entries: list[TimelineEntryRead]
    intact: bool = Field(description="Whether every hash follows from the one before.")

    @classmethod
    def of(cls, history: History) -> Self:
        """Oldest first; even the keyed hash of the reviewer stays inside."""
        return cls(
            entries=[
                TimelineEntryRead(
                    sequence=one.sequence,
                    at=one.at,
                    action=one.action,
                    actor_kind=one.actor_kind,
                    actor_id=None if one.actor_kind == "reviewer" else one.actor_id,
                    facts=one.facts,
                    hash=one.hash.hex(),
                )
                for one in history.entries
            ],
            intact=history.intact,
        )


def _summary(row: Rectification) -> dict[str, Any]:
    def deadline(due_at: datetime, due_date: date) -> dict[str, Any]:
        return {
            "due_at": due_at,
            "due_date": due_date,
            "calendar_version": row.calendar_version,
            "provisional": row.provisional,
        }

    return {
        "id": row.id,
        "review_id": row.review_id,
        "department_id": row.department_id,
        "division": row.division,
        "item_code": row.item_code,
        "grade": row.grade,
        "reasons": row.reasons,
        "stage": row.stage,
        "stage_label": STAGE_LABELS[row.stage],
        "overdue": row.overdue,
        "overdue_stage": row.overdue_stage,
        "assign_deadline": deadline(row.assign_due_at, row.assign_due_date),
        "contact_deadline": deadline(row.contact_due_at, row.contact_due_date),
        "rectify_deadline": deadline(row.rectify_due_at, row.rectify_due_date),
        "re_review_satisfied": row.re_review_satisfied,
        "outcome": row.outcome,
    }
