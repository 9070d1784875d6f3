"""Rows of delegations."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Index
from sqlalchemy.orm import Mapped, mapped_column

from identity_service.db import Base
from identity_service.delegations.domain import Standing, Terms, standing_of
from service_common.contracts.acceptance import HolderKind
from service_common.contracts.identity import AgentKind
from service_common.db import Aggregate, sealed
from service_common.delegation import Act


class Delegation(Aggregate, Base):
    """Who lets whom do what for them. The agreed text is sealed, for it names both; its hash stays in clear."""

    __tablename__ = "delegations"
    __table_args__ = (
        Index("ix_delegations_principal_id_id", "principal_id", "id"),
        Index("ix_delegations_agent_id_id", "agent_id", "id"),
    )

    principal_kind: Mapped[HolderKind]
    principal_id: Mapped[UUID]
    granted_by: Mapped[UUID] = mapped_column(ForeignKey("persons.id"))
    agent_kind: Mapped[AgentKind]
    agent_id: Mapped[UUID]
    acts: Mapped[list[str]]
    matters: Mapped[list[str]]
    valid_from: Mapped[datetime | None]
    valid_until: Mapped[datetime]
    max_uses: Mapped[int | None]
    uses: Mapped[int] = mapped_column(default=0)
    text: Mapped[bytes] = sealed("delegations.text")
    text_hash: Mapped[bytes]
    accepted_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]
    revoked_by: Mapped[UUID | None]

    @property
    def terms(self) -> Terms:
        return Terms(
            acts=frozenset(Act(one) for one in self.acts),
            matters=frozenset(self.matters),
            valid_until=self.valid_until,
            valid_from=self.valid_from,
            max_uses=self.max_uses,
        )

    def standing(self, now: datetime) -> Standing:
        return standing_of(
            self.terms, uses=self.uses, accepted_at=self.accepted_at, revoked_at=self.revoked_at, now=now
        )
