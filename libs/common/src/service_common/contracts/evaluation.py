"""What evaluation tells the others."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from service_common.contracts.envelope import Event


class ContactKind(StrEnum):
    """What a service contact belonged to."""

    CASE = "CASE"
    TICKET = "TICKET"


class Grade(StrEnum):
    """The five grades. Stored by name: two opposite number codings are in use (GB/T 39046 A.8 and terminals)."""

    VERY_SATISFIED = "VERY_SATISFIED"
    SATISFIED = "SATISFIED"
    BASICALLY_SATISFIED = "BASICALLY_SATISFIED"
    DISSATISFIED = "DISSATISFIED"
    VERY_DISSATISFIED = "VERY_DISSATISFIED"


class InvitationCreated(Event):
    """A person may review one service contact, until ``expires_at``."""

    subject: ClassVar[str] = "gov.evaluation.invitation.created.v1"
    invitation_id: UUID
    contact_kind: ContactKind
    contact_id: UUID
    contact_no: int
    person_id: UUID
    department_id: UUID
    expires_at: datetime


class ReviewSubmitted(Event):
    """A review was given. Never says by whom."""

    subject: ClassVar[str] = "gov.evaluation.review.submitted.v1"
    review_id: UUID
    grade: Grade
    department_id: UUID
    division: str
    item_code: str | None = None


class RectificationFacts(Event):
    """What every event about a rectification 差评整改 says. Never whose review it was."""

    rectification_id: UUID
    review_id: UUID
    department_id: UUID
    due_at: datetime


class RectificationOpened(RectificationFacts):
    """A bad review (不满意 or 非常不满意) opened a rectification with its clock."""

    subject: ClassVar[str] = "gov.evaluation.rectification.opened.v1"


class RectificationAnswered(RectificationFacts):
    """The department has mended it and answered the reviewer."""

    subject: ClassVar[str] = "gov.evaluation.rectification.answered.v1"


class RectificationClosed(RectificationFacts):
    """Verified and closed."""

    subject: ClassVar[str] = "gov.evaluation.rectification.closed.v1"


class ReviewerInformed(Event):
    """The reviewer shall read the answer to the review. For the person's inbox only: departments never get this."""

    subject: ClassVar[str] = "gov.evaluation.reviewer.informed.v1"
    invitation_id: UUID
    person_id: UUID
