"""What the hotline tells the others."""

from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from service_common.contracts.envelope import Event


class TicketKind(StrEnum):
    """What the caller wants 诉求类型."""

    CONSULT = "CONSULT"
    HELP = "HELP"
    COMPLAINT = "COMPLAINT"
    REPORT = "REPORT"
    SUGGESTION = "SUGGESTION"
    PRAISE = "PRAISE"


class TicketFacts(Event):
    """What every event about a ticket says. ``contact_no`` counts its service contacts from 1."""

    ticket_id: UUID
    ticket_no: str
    kind: TicketKind
    division: str
    department_id: UUID | None = None
    person_id: UUID | None = None
    case_id: UUID | None = None
    contact_no: int = 1


class TicketCreated(TicketFacts):
    """An appeal was recorded."""

    subject: ClassVar[str] = "gov.hotline.ticket.created.v1"


class TicketDispatched(TicketFacts):
    """Sent to the department that has to handle it 派单."""

    subject: ClassVar[str] = "gov.hotline.ticket.dispatched.v1"


class TicketReturned(TicketFacts):
    """The department says it is not its duty 退单."""

    subject: ClassVar[str] = "gov.hotline.ticket.returned.v1"


class TicketAnswered(TicketFacts):
    """The department has answered the caller 答复."""

    subject: ClassVar[str] = "gov.hotline.ticket.answered.v1"


class TicketClosed(TicketFacts):
    """Handling is over 办结."""

    subject: ClassVar[str] = "gov.hotline.ticket.closed.v1"


class TicketCalledBack(TicketFacts):
    """The centre asked the caller 回访: reached, solved, satisfied?"""

    subject: ClassVar[str] = "gov.hotline.ticket.called-back.v1"
    reached: bool
    solved: bool | None = None
    satisfied: bool | None = None
