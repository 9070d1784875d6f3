"""HTTP shapes of the export of one's tickets."""

from datetime import date, datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel

from hotline_service.tickets.domain import Channel, Status, Urgency
from hotline_service.tickets.handlers.export import ExportedTicket
from service_common.contracts.hotline import TicketKind


class ExportedUrge(BaseModel):
    """A repeat call 催办."""

    at: datetime
    note: str | None


class ExportedDisclosure(BaseModel):
    """Somebody was shown the caller in full."""

    at: datetime
    purpose: str


class TicketExport(BaseModel):
    """A ticket in clear, as it is handed to the person who wrote it."""

    id: UUID
    number: str
    kind: TicketKind
    urgency: Urgency
    status: Status
    channel: Channel
    division: str
    department_name: str | None
    case_id: UUID | None
    project_no: str | None
    caller_name: str | None
    caller_phone: str | None
    content: str
    answer: str | None
    created_at: datetime
    handle_due_date: date | None
    answered_at: datetime | None
    closed_at: datetime | None
    called_back_at: datetime | None
    reached: bool | None
    solved: bool | None
    satisfied: bool | None
    urges: list[ExportedUrge]
    disclosures: list[ExportedDisclosure]

    @classmethod
    def of(cls, one: ExportedTicket) -> Self:
        """Everything that its author may know."""
        opened = {"department_name", "caller_name", "caller_phone", "content", "answer"}
        columns = cls.model_fields.keys() - opened - {"urges", "disclosures"}
        return cls(
            **{name: getattr(one.row, name) for name in columns},
            **{name: getattr(one, name) for name in opened},
            urges=[ExportedUrge(at=at, note=note) for at, note in one.urges],
            disclosures=[ExportedDisclosure(at=at, purpose=purpose) for at, purpose in one.disclosures],
        )
