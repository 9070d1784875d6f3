"""What the licence library tells the others."""

from enum import StrEnum
from typing import ClassVar
from uuid import UUID

from service_common.contracts.acceptance import HolderKind
from service_common.contracts.envelope import Event


class LicenceStatus(StrEnum):
    """Status of a licence; the last five are final."""

    NORMAL = "NORMAL"
    SUSPENDED = "SUSPENDED"
    REVOKED = "REVOKED"
    WITHDRAWN = "WITHDRAWN"
    CANCELLED = "CANCELLED"
    EXPIRED = "EXPIRED"
    SUPERSEDED = "SUPERSEDED"


class LicenceFacts(Event):
    """What every event about a licence says. ``version`` is the licence's own, from 1."""

    licence_id: UUID
    identifier: str
    type_code: str
    type_name: str
    holder_kind: HolderKind
    holder_id: UUID
    case_id: UUID | None = None
    issuer_department_id: UUID
    licence_version: int


class LicenceIssued(LicenceFacts):
    """A signed licence is in the library."""

    subject: ClassVar[str] = "gov.certificates.licence.issued.v1"


class LicenceStatusChanged(LicenceFacts):
    """Suspended, given back, revoked, withdrawn, cancelled, expired or superseded."""

    subject: ClassVar[str] = "gov.certificates.licence.status-changed.v1"
    status: LicenceStatus


class UseMode(StrEnum):
    """How a licence was looked at."""

    PRESENTED = "PRESENTED"
    VERIFIED = "VERIFIED"
    FETCHED = "FETCHED"


class LicenceUsed(LicenceFacts):
    """Somebody looked at the licence: the holder may know who and why."""

    subject: ClassVar[str] = "gov.certificates.licence.used.v1"
    mode: UseMode
    verifier_department_id: UUID | None = None
    purpose_case_id: UUID | None = None
