"""What identity tells the others."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from service_common.contracts.acceptance import HolderKind
from service_common.contracts.envelope import Event


class PersonRegistered(Event):
    """A natural person has an account. Sent once."""

    subject: ClassVar[str] = "gov.identity.person.registered.v1"
    person_id: UUID


class PersonVerified(Event):
    """A verification raised a person's trust level (1–4)."""

    subject: ClassVar[str] = "gov.identity.person.verified.v1"
    person_id: UUID
    level: int


class PersonClosed(Event):
    """The person has closed the account: nobody logs in to it any more. What happened in its name stays."""

    subject: ClassVar[str] = "gov.identity.person.closed.v1"
    person_id: UUID


class PersonLevelLowered(Event):
    """Evidence expired, and with it the trust level (1–3) that it had given."""

    subject: ClassVar[str] = "gov.identity.person.level-lowered.v1"
    person_id: UUID
    level: int


class LegalPersonRegistered(Event):
    """A company, sole trader or organisation was verified and can be acted for, first of all by its representative."""

    subject: ClassVar[str] = "gov.identity.legal-person.registered.v1"
    legal_person_id: UUID
    representative_id: UUID | None = None


class LegalPersonRepresentativeChanged(Event):
    """The register names another representative. Every appointment of the former one stands still until it is confirmed."""

    subject: ClassVar[str] = "gov.identity.legal-person.representative-changed.v1"
    legal_person_id: UUID
    representative_id: UUID
    former_id: UUID


class LegalPersonSuspended(Event):
    """The register no longer confirms the legal person or its representative: nobody acts for it for now."""

    subject: ClassVar[str] = "gov.identity.legal-person.suspended.v1"
    legal_person_id: UUID


class AgentAppointed(Event):
    """A legal person lets a natural person act for it 经办人."""

    subject: ClassVar[str] = "gov.identity.agent.appointed.v1"
    legal_person_id: UUID
    person_id: UUID
    valid_until: datetime | None = None


class AgentRevoked(Event):
    """The appointment ended."""

    subject: ClassVar[str] = "gov.identity.agent.revoked.v1"
    legal_person_id: UUID
    person_id: UUID


class AgentKind(StrEnum):
    """Who acts for a principal: another person 亲友代办, or a member of staff who helps 帮代办."""

    PERSON = "PERSON"
    HELPER = "HELPER"


class DelegationFacts(Event):
    """Somebody lets somebody else act for them."""

    delegation_id: UUID
    principal_kind: HolderKind
    principal_id: UUID
    agent_kind: AgentKind
    agent_id: UUID


class DelegationGranted(DelegationFacts):
    """The principal has agreed; the agent may act when it has accepted, within the period."""

    subject: ClassVar[str] = "gov.identity.delegation.granted.v1"
    acts: list[str]
    matters: list[str]
    valid_from: datetime | None
    valid_until: datetime


class DelegationAccepted(DelegationFacts):
    """The agent has accepted, once: tokens can be got for it from now on."""

    subject: ClassVar[str] = "gov.identity.delegation.accepted.v1"


class DelegationRevoked(DelegationFacts):
    """One of the two ended it. Its access tokens are refused from now on: their sessions end with it."""

    subject: ClassVar[str] = "gov.identity.delegation.revoked.v1"
    by_principal: bool


class DepartmentChanged(Event):
    """A department was added or changed. Carries its whole state."""

    subject: ClassVar[str] = "gov.identity.department.changed.v1"
    department_id: UUID
    uscc: str
    name: str
    short_name: str
    division: str
    parent_id: UUID | None = None
    active: bool = True


class StaffChanged(Event):
    """A staff member joined, moved, changed roles or left. Carries the whole assignment, no name."""

    subject: ClassVar[str] = "gov.identity.staff.changed.v1"
    staff_id: UUID
    department_id: UUID
    division: str
    roles: list[str]
    active: bool = True


class SessionEndReason(StrEnum):
    """Why a log-in session ended before its time."""

    LOGOUT = "LOGOUT"
    CLOSED = "CLOSED"
    SUSPICION = "SUSPICION"


class SessionEnded(Event):
    """Access tokens of this session are refused from now on, everywhere."""

    subject: ClassVar[str] = "gov.identity.session.ended.v1"
    session_id: UUID
    subject_id: UUID
    reason: SessionEndReason
