"""HTTP shapes of invitations."""

from datetime import datetime
from typing import Self
from uuid import UUID

from pydantic import BaseModel, Field

from evaluation_service.invitations.domain import InvitationState, state_at
from evaluation_service.invitations.models import Invitation
from service_common.contracts.evaluation import ContactKind


class InvitationRead(BaseModel):
    """A service contact that its person may review."""

    id: UUID
    contact_kind: ContactKind
    contact_id: UUID
    contact_no: int = Field(description="Which service contact of the case or ticket, from 1.")
    reference: str = Field(description="Project number 办件编号 or ticket number 工单编号.")
    department_id: UUID
    division: str
    item_code: str | None
    item_name: str | None
    state: InvitationState
    expires_at: datetime

    @classmethod
    def of(cls, row: Invitation, now: datetime) -> Self:
        """With its state as it is now."""
        return cls(
            id=row.id,
            contact_kind=row.contact_kind,
            contact_id=row.contact_id,
            contact_no=row.contact_no,
            reference=row.reference,
            department_id=row.department_id,
            division=row.division,
            item_code=row.item_code,
            item_name=row.item_name,
            state=state_at(row.state, row.expires_at, now),
            expires_at=row.expires_at,
        )
