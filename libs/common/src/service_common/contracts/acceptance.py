"""What acceptance tells the others."""

from datetime import date
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from service_common.contracts.envelope import Event


class HolderKind(StrEnum):
    """Whether a natural or a legal person stands behind an id."""

    NATURAL_PERSON = "NATURAL_PERSON"
    LEGAL_PERSON = "LEGAL_PERSON"


class Outcome(StrEnum):
    """How a case was decided 准予 / 不予."""

    APPROVED = "APPROVED"
    REJECTED = "REJECTED"


class Channel(StrEnum):
    """How an application was handed in 办理形式: by the applicant or who acts for them, or by a clerk in their presence."""

    ONLINE = "ONLINE"
    WINDOW = "WINDOW"


class ItemPublished(Event):
    """A version of a service item can be applied for from now on."""

    subject: ClassVar[str] = "gov.acceptance.item.published.v1"
    item_code: str
    item_version: int
    division: str
    department_id: UUID


class BundlePublished(Event):
    """A version of a bundle 一件事 can be applied for from now on."""

    subject: ClassVar[str] = "gov.acceptance.bundle.published.v1"
    bundle_code: str
    bundle_version: int


class ApplicationFacts(Event):
    """What every event about an application says.

    ``submitted_by`` is who acted: the applicant or an agent. At a window it is the person who stood there, never the clerk,
    who is ``taken_in_by``, of the department ``window_department_id``.
    """

    application_id: UUID
    number: str
    applicant_kind: HolderKind
    applicant_id: UUID
    submitted_by: UUID
    bundle_code: str | None = None
    item_codes: list[str]
    case_ids: list[UUID]
    division: str
    channel: Channel = Channel.ONLINE
    taken_in_by: UUID | None = None
    window_department_id: UUID | None = None


class ApplicationSubmitted(ApplicationFacts):
    """An application was handed in; one case per item exists."""

    subject: ClassVar[str] = "gov.acceptance.application.submitted.v1"


class ApplicationFinished(ApplicationFacts):
    """Every case of the application has ended."""

    subject: ClassVar[str] = "gov.acceptance.application.finished.v1"


class CaseFacts(Event):
    """What every event about a case says. ``contact_no`` counts the service contacts of the case from 1."""

    case_id: UUID
    application_id: UUID
    project_no: str
    item_code: str
    item_name: str
    department_id: UUID
    division: str
    applicant_kind: HolderKind
    applicant_id: UUID
    submitted_by: UUID
    contact_no: int


class CaseSubmitted(CaseFacts):
    """A case waits in its department's inbox. The five-day timer of Art. 32 runs."""

    subject: ClassVar[str] = "gov.acceptance.case.submitted.v1"


class CaseReturned(CaseFacts):
    """Pre-check sent it back for changes 退回修改. The five-day timer goes on."""

    subject: ClassVar[str] = "gov.acceptance.case.returned.v1"


class CaseReceived(CaseFacts):
    """The department took the materials 收件."""

    subject: ClassVar[str] = "gov.acceptance.case.received.v1"


class CaseCorrectionRequested(CaseFacts):
    """The one-off notice of everything missing was given (行政许可法 Art. 32(4))."""

    subject: ClassVar[str] = "gov.acceptance.case.correction-requested.v1"


class CaseAccepted(CaseFacts):
    """Accepted 受理: the statutory and the promised clock run. ``deemed`` by silence of five working days."""

    subject: ClassVar[str] = "gov.acceptance.case.accepted.v1"
    deemed: bool = False


class CaseNotAccepted(CaseFacts):
    """Not accepted 不予受理, in writing with reasons. The case has ended."""

    subject: ClassVar[str] = "gov.acceptance.case.not-accepted.v1"


class CaseSuspended(CaseFacts):
    """A special procedure stops the clock (Art. 45)."""

    subject: ClassVar[str] = "gov.acceptance.case.suspended.v1"


class CaseResumed(CaseFacts):
    """The special procedure is over, the clock runs again."""

    subject: ClassVar[str] = "gov.acceptance.case.resumed.v1"


class CaseExtended(CaseFacts):
    """The head of the organ lengthened the time limit (Art. 42)."""

    subject: ClassVar[str] = "gov.acceptance.case.extended.v1"


class CaseDecided(CaseFacts):
    """Decided. ``instant`` when a rule decided at once 秒批; a licence type when one is to be issued."""

    subject: ClassVar[str] = "gov.acceptance.case.decided.v1"
    outcome: Outcome
    licence_type_code: str | None = None
    instant: bool = False


class CaseWithdrawn(CaseFacts):
    """The applicant took it back. The case has ended."""

    subject: ClassVar[str] = "gov.acceptance.case.withdrawn.v1"


class CaseTerminated(CaseFacts):
    """Its object is gone. The case has ended."""

    subject: ClassVar[str] = "gov.acceptance.case.terminated.v1"


class CaseFinished(CaseFacts):
    """The result was delivered 办结. The case has ended."""

    subject: ClassVar[str] = "gov.acceptance.case.finished.v1"
    outcome: Outcome


class CardLevel(StrEnum):
    """Levels of electronic supervision 预警 黄牌 红牌."""

    WARNING = "WARNING"
    YELLOW = "YELLOW"
    RED = "RED"


class CardFacts(Event):
    """What every event about a card says."""

    card_id: UUID
    case_id: UUID
    department_id: UUID
    division: str
    rule: str
    level: CardLevel


class CardIssued(CardFacts):
    """A rule of supervision was broken, or is about to be. Unique per case, rule and level."""

    subject: ClassVar[str] = "gov.acceptance.card.issued.v1"


class CardCancelled(CardFacts):
    """Supervision took a card back: a fault of the system, force majeure, the applicant's own delay. It stays on record."""

    subject: ClassVar[str] = "gov.acceptance.card.cancelled.v1"


class NamedDay(BaseModel):
    """A local day that a holiday notice names: off, or a make-up working day 调休, for which festival."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    day: date
    is_workday: bool
    name: str


class LoadedNotice(BaseModel):
    """A holiday notice 节假日安排通知 as it was loaded; ``version`` is the one that the calendar got by it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: str
    year: int
    source: str
    amends: bool
    days: list[NamedDay]


class CalendarChanged(Event):
    """A holiday notice was loaded over the work calendar. Carries every notice loaded so far."""

    subject: ClassVar[str] = "gov.acceptance.calendar.changed.v1"
    calendar_version: str
    notices: list[LoadedNotice]
