"""Rows of invitations."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from evaluation_service.db import Base
from evaluation_service.indicators.domain import Reviewed
from evaluation_service.invitations.domain import InvitationState
from service_common.contracts.evaluation import ContactKind
from service_common.db import Aggregate, sealed


class Invitation(Aggregate, Base):
    """One person may review one service contact. Who it is stands here sealed and as a keyed hash only.

    A contact about which nobody can be asked is UNINVITED and names nobody: it counts, and lowers the coverage 覆盖率. It keeps
    the legal person that was served, and sealed who handed in, until it is known whom to ask, or its time is over.
    """

    __tablename__ = "invitations"

    contact_kind: Mapped[ContactKind]
    contact_id: Mapped[UUID]
    contact_no: Mapped[int]
    reference: Mapped[str] = mapped_column(String(60))
    department_id: Mapped[UUID]
    division: Mapped[str] = mapped_column(String(12))
    item_code: Mapped[str | None] = mapped_column(String(60))
    item_name: Mapped[str | None] = mapped_column(String(300))
    period: Mapped[str] = mapped_column(String(7))
    person_index: Mapped[bytes | None]
    person_sealed: Mapped[bytes | None] = sealed("invitations.person_sealed")
    legal_person_id: Mapped[UUID | None]
    submitted_sealed: Mapped[bytes | None] = sealed("invitations.submitted_sealed")
    state: Mapped[InvitationState]
    expires_at: Mapped[datetime]

    __table_args__ = (
        UniqueConstraint("contact_kind", "contact_id", "contact_no"),
        Index("ix_invitations_person_index_id", "person_index", "id"),
        Index("ix_invitations_uninvited", "legal_person_id", postgresql_where=text("state = 'UNINVITED'")),
        Index("ix_invitations_expires_at", "expires_at", postgresql_where=text("state = 'OPEN'")),
    )

    @property
    def reviewed(self) -> Reviewed:
        """In which indicators it counts."""
        return Reviewed(self.division, self.department_id, self.item_code, self.period)
