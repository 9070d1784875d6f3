"""HTTP shapes of delegations."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from pydantic import AwareDatetime, Field, model_validator

from identity_service.delegations.domain import (
    ACT_LABELS,
    MOST_MATTERS,
    MOST_USES,
    STANDING_LABELS,
    Standing,
    Terms,
    text_hash,
)
from identity_service.delegations.handlers import AgentSought, Draft, Offer
from identity_service.delegations.models import Delegation
from identity_service.schemas import Input, Output
from service_common.contracts.acceptance import HolderKind
from service_common.contracts.identity import AgentKind
from service_common.delegation import Act

Matter = Annotated[str, Field(min_length=3, max_length=100)]
Hash = Annotated[
    str,
    Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the text that was read, in hexadecimal."),
]


class AgentBody(Input):
    """Who is to act: a verified person by name and phone, or a helper 帮代办员 by user name."""

    kind: AgentKind = AgentKind.PERSON
    name: str | None = Field(default=None, min_length=2, max_length=100, examples=["李谷雨"])
    phone: str | None = Field(default=None, min_length=11, max_length=20, examples=["19900000002"])
    username: str | None = Field(default=None, min_length=3, max_length=40)

    @model_validator(mode="after")
    def _named(self) -> Self:
        if self.kind is AgentKind.HELPER and self.username is None:
            raise ValueError("a helper is named by username")
        if self.kind is AgentKind.PERSON and (self.name is None or self.phone is None):
            raise ValueError("a person is named by name and phone")
        return self


class DelegationTerms(Input):
    """What is entrusted, to whom, for how long."""

    agent: AgentBody
    legal_person_id: UUID | None = Field(
        default=None, description="The principal, if it is a legal person whose representative the caller is."
    )
    acts: set[Act] = Field(min_length=1, examples=[["VIEW", "SUBMIT", "SIGN"]])
    matters: set[Matter] = Field(
        min_length=1,
        max_length=MOST_MATTERS,
        description="`<service>:<code>` of items, themes and licence types, or `<service>:*`.",
        examples=[["acceptance:43TCP0018", "certificates:*"]],
    )
    valid_from: AwareDatetime | None = Field(default=None, description="Absent: when the agent accepts.")
    valid_until: AwareDatetime
    max_uses: int | None = Field(
        default=None, ge=1, le=MOST_USES, description="Sittings of the agent; absent: as many as needed."
    )

    @property
    def offer(self) -> Offer:
        agent = AgentSought(self.agent.kind, self.agent.name, self.agent.phone, self.agent.username)
        terms = Terms(
            acts=frozenset(self.acts),
            matters=frozenset(self.matters),
            valid_until=self.valid_until,
            valid_from=self.valid_from,
            max_uses=self.max_uses,
        )
        return Offer(agent, terms, self.legal_person_id)


class DelegationGrant(DelegationTerms):
    """The terms, with the hash of the text that was agreed to."""

    agreed_sha256: Hash


class DelegationAccept(Input):
    """The agent agrees to the same text."""

    agreed_sha256: Hash


class DelegationText(Output):
    """The text to read, and its hash to agree with."""

    text: str
    sha256: str

    @classmethod
    def of(cls, draft: Draft) -> "DelegationText":
        return cls(text=draft.text, sha256=text_hash(draft.text).hex())


class DelegationRead(Output):
    """A delegation."""

    id: UUID
    principal_kind: HolderKind
    principal_id: UUID
    agent_kind: AgentKind
    agent_id: UUID
    acts: list[Act]
    act_labels: list[str]
    matters: list[str]
    valid_from: datetime | None
    valid_until: datetime
    max_uses: int | None
    uses: int
    standing: Standing
    standing_label: str
    created_at: datetime
    accepted_at: datetime | None
    revoked_at: datetime | None

    @classmethod
    def of(cls, row: Delegation, now: datetime) -> "DelegationRead":
        standing = row.standing(now)
        acts = [one for one in Act if one in row.acts]
        return cls(
            id=row.id,
            principal_kind=row.principal_kind,
            principal_id=row.principal_id,
            agent_kind=row.agent_kind,
            agent_id=row.agent_id,
            acts=acts,
            act_labels=[ACT_LABELS[one] for one in acts],
            matters=row.matters,
            valid_from=row.valid_from,
            valid_until=row.valid_until,
            max_uses=row.max_uses,
            uses=row.uses,
            standing=standing,
            standing_label=STANDING_LABELS[standing],
            created_at=row.created_at,
            accepted_at=row.accepted_at,
            revoked_at=row.revoked_at,
        )


class DelegationDetail(DelegationRead):
    """A delegation with the text that both agreed to."""

    text: str
    text_sha256: str

    @classmethod
    def opened(cls, row: Delegation, text: str, now: datetime) -> "DelegationDetail":
        read = DelegationRead.of(row, now)
        return cls(**read.model_dump(), text=text, text_sha256=row.text_hash.hex())
