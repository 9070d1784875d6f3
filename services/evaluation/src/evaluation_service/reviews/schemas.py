"""HTTP shapes of reviews. The border where other systems' number codes become grades and back."""

from datetime import datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from evaluation_service.rectifications.domain import Stage
from evaluation_service.reviews.domain import (
    GRADE_LABELS,
    MOST_REASONS,
    Coding,
    grade_from_code,
    grade_to_code,
    reasons_of,
)
from evaluation_service.reviews.handlers import NewReview, OwnReview, PublishedReview
from evaluation_service.reviews.models import Review
from service_common.contracts.evaluation import ContactKind, Grade


class GradeCode(BaseModel):
    """A grade as another system writes it: the same number means the opposite in the two codings."""

    model_config = ConfigDict(extra="forbid")

    coding: Coding
    code: int = Field(ge=1, le=5)


class ReviewCreate(BaseModel):
    """A review of the contact of an invitation."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "invitation_id": "01930000-0000-7000-8000-0000000000d1",
                    "grade": "DISSATISFIED",
                    "reasons": ["207", "213"],
                    "text": "没有材料样本，跑了两趟。",
                },
                {
                    "invitation_id": "01930000-0000-7000-8000-0000000000d1",
                    "grade_code": {"coding": "STARS", "code": 5},
                    "reasons": ["513"],
                },
            ]
        },
    )

    invitation_id: UUID
    grade: Grade | None = None
    grade_code: GradeCode | None = Field(
        default=None, description="Instead of `grade`, for terminals and exchanges."
    )
    reasons: list[Annotated[str, StringConstraints(pattern=r"^[1-5]\d\d$")]] = Field(
        default_factory=list,
        max_length=MOST_REASONS,
        description="Reason codes of the grade, see `review-options`.",
    )
    text: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)] | None = (
        None
    )

    @model_validator(mode="after")
    def _one_grade(self) -> Self:
        if (self.grade is None) == (self.grade_code is None):
            raise ValueError("give either grade or grade_code")
        return self

    def new_review(self) -> NewReview:
        """For the handler. Raises: UnknownGradeCode."""
        if self.grade_code is not None:
            grade = grade_from_code(self.grade_code.code, self.grade_code.coding)
        else:
            assert self.grade is not None
            grade = self.grade
        return NewReview(self.invitation_id, grade, self.reasons, self.text)


class ReReviewBody(BaseModel):
    """Whether the rectification is satisfactory."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"satisfied": True}]})

    satisfied: bool


class GradeRead(BaseModel):
    """A grade in words and in both codings."""

    grade: Grade
    grade_label: str
    stars: int = Field(description="Interface and terminals: 5 is 非常满意.")
    gb_t_39046: int = Field(description="GB/T 39046 A.8: 1 is 非常满意.")


class ReasonRead(BaseModel):
    """A reason code with its meaning."""

    code: str
    meaning: str


class ReviewOption(GradeRead):
    """A grade with the reasons that go with it."""

    reasons: list[ReasonRead]

    @classmethod
    def of(cls, grade: Grade) -> Self:
        """For the page on which people choose."""
        return cls.model_validate(
            _grade(grade)
            | {"reasons": [{"code": code, "meaning": meaning} for code, meaning in reasons_of(grade).items()]}
        )


class AnswerRead(BaseModel):
    """What the department does about a bad review."""

    stage: Stage
    rectify_due_at: datetime
    message: str | None
    answer: str | None
    satisfied: bool | None


class ReviewRead(GradeRead):
    """A review as its author sees it in a list."""

    id: UUID
    invitation_id: UUID
    contact_kind: ContactKind
    contact_id: UUID
    contact_no: int
    department_id: UUID
    division: str
    item_code: str | None
    item_name: str | None
    reasons: list[ReasonRead]
    created_at: datetime

    @classmethod
    def of(cls, row: Review) -> Self:
        """Without its text."""
        return cls.model_validate(_own(row))


class OwnReviewRead(ReviewRead):
    """A review as its author sees it, with the department's answer to a bad one."""

    text: str | None
    rectification: AnswerRead | None

    @classmethod
    def with_text(cls, own: OwnReview) -> Self:
        """In full."""
        answer = own.answer and AnswerRead(
            stage=own.answer.stage,
            rectify_due_at=own.answer.rectify_due_at,
            message=own.answer.message,
            answer=own.answer.answer,
            satisfied=own.answer.satisfied,
        )
        return cls.model_validate(_own(own.row) | {"text": own.text, "rectification": answer})


class PublishedReviewRead(GradeRead):
    """A review as everybody sees it: by month, screened, without contact or author."""

    id: UUID
    department_id: UUID
    division: str
    item_code: str | None
    item_name: str | None
    period: str
    reasons: list[ReasonRead]
    text: str | None

    @classmethod
    def of(cls, published: PublishedReview) -> Self:
        """For the public and for the reviewed alike."""
        row = published.row
        return cls.model_validate(
            _grade(row.grade)
            | {
                "id": published.id,
                "department_id": row.department_id,
                "division": row.division,
                "item_code": row.item_code,
                "item_name": row.item_name,
                "period": row.period,
                "reasons": _reasons(row),
                "text": published.text,
            }
        )


def _grade(grade: Grade) -> dict[str, Any]:
    return {
        "grade": grade,
        "grade_label": GRADE_LABELS[grade],
        "stars": grade_to_code(grade, Coding.STARS),
        "gb_t_39046": grade_to_code(grade, Coding.GB_T_39046),
    }


def _reasons(row: Review) -> list[dict[str, str]]:
    meanings = reasons_of(row.grade)
    return [{"code": code, "meaning": meanings[code]} for code in row.reasons]


def _own(row: Review) -> dict[str, Any]:
    return _grade(row.grade) | {
        "id": row.id,
        "invitation_id": row.invitation_id,
        "contact_kind": row.contact_kind,
        "contact_id": row.contact_id,
        "contact_no": row.contact_no,
        "department_id": row.department_id,
        "division": row.division,
        "item_code": row.item_code,
        "item_name": row.item_name,
        "reasons": _reasons(row),
        "created_at": row.created_at,
    }
