"""Rows of legal persons and their agents."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from gov_rules.identifiers import OrganisationKind
from identity_service.db import Base
from identity_service.legal_persons.domain import ActsAs
from service_common.db import Aggregate, new_id


class LegalPerson(Aggregate, Base):
    """A company, sole trader or organisation. Code and name are public register data."""

    __tablename__ = "legal_persons"

    uscc: Mapped[str] = mapped_column(String(18), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    kind: Mapped[OrganisationKind]
    representative_id: Mapped[UUID] = mapped_column(ForeignKey("persons.id"), index=True)
    confirmed_at: Mapped[datetime] = mapped_column(index=True)
    is_active: Mapped[bool] = mapped_column(default=True)
    suspended_at: Mapped[datetime | None]


class Agent(Base):
    """An appointment 经办人 or 管理员: who may act for a legal person, until when, by whom appointed.

    Suspended after a change of representative, until the new one confirms it.
    """

    __tablename__ = "agents"
    __table_args__ = (
        Index(
            "uq_agents_running",
            "legal_person_id",
            "person_id",
            unique=True,
            postgresql_where=text("revoked_at IS NULL"),
        ),
        Index("ix_agents_person_id", "person_id", postgresql_where=text("revoked_at IS NULL")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    legal_person_id: Mapped[UUID] = mapped_column(ForeignKey("legal_persons.id"))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("persons.id"))
    role: Mapped[ActsAs] = mapped_column(default=ActsAs.AGENT, server_default=ActsAs.AGENT)
    suspended_at: Mapped[datetime | None]
    appointed_by: Mapped[UUID] = mapped_column(ForeignKey("persons.id"))
    appointed_at: Mapped[datetime]
    valid_until: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[UUID | None] = mapped_column(ForeignKey("persons.id"))
