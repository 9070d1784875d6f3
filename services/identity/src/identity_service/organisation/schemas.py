"""HTTP shapes of divisions, departments and staff."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import pyotp
from pydantic import ConfigDict, Field
from sqlalchemy import Row

from gov_rules.divisions import DivisionKind, DivisionLevel
from gov_rules.identifiers import mask_name
from identity_service.organisation.domain import (
    DECISION_LABELS,
    ISSUER_NAME,
    ROLE_LABELS,
    Decision,
    RequestKind,
    ResetReason,
    Role,
)
from identity_service.organisation.handlers.credentials import Fresh
from identity_service.organisation.handlers.departments import DepartmentFacts
from identity_service.organisation.handlers.staff import name_of
from identity_service.organisation.models import Department, Division, RoleRequest, Staff
from identity_service.schemas import Input, Output
from service_common.crypto import KeyRing
from service_common.timeline import verify

AreaCode = Annotated[
    str, Field(pattern=r"^\d{6}(\d{3}){0,2}$", description="GB/T 2260, with or without the trailing zeros.")
]


class ImportResult(Output):
    """What an import did."""

    rows: int = Field(description="Rows in the file.")
    changed: int = Field(description="Rows that were new or different.")


class DivisionRead(Output):
    """An administrative division."""

    code: str
    level: str
    name: str
    kind: DivisionKind
    parent_code: str

    @classmethod
    def of(cls, row: Division) -> "DivisionRead":
        return cls(
            code=row.code,
            level=DivisionLevel(row.level).name,
            name=row.name,
            kind=row.kind,
            parent_code=row.parent_code,
        )


class DepartmentWrite(Input):
    """A department as it is entered. A change replaces all of it."""

    uscc: str = Field(min_length=18, max_length=18, description="统一社会信用代码 of the organ.")
    unit_suffix: str = Field(
        default="", pattern=r"^\d{0,4}$", description="For a unit without a code of its own inside the organ."
    )
    name: str = Field(min_length=1, max_length=100)
    short_name: str = Field(min_length=1, max_length=40, description="As in document numbers, 岳麓市监.")
    division: AreaCode
    parent_id: UUID | None = None
    is_active: bool = True

    def facts(self) -> DepartmentFacts:
        return DepartmentFacts(**self.model_dump())


class DepartmentRead(Output):
    """A department."""

    id: UUID
    uscc: str
    unit_suffix: str
    name: str
    short_name: str
    division: str
    parent_id: UUID | None
    is_active: bool
    updated_at: datetime

    @classmethod
    def of(cls, row: Department) -> "DepartmentRead":
        return cls.model_validate(row)


class StaffCreate(Input):
    """Somebody who takes office. What is left out is made up and shown once in the answer."""

    username: str = Field(min_length=3, max_length=40)
    name: str = Field(min_length=1, max_length=50)
    department_id: UUID
    position: str | None = Field(default=None, max_length=60, examples=["窗口主管"])
    roles: list[Role] = Field(min_length=1)
    password: str | None = Field(default=None, description="First password.")
    totp_secret: str | None = Field(
        default=None,
        pattern=r"^[A-Z2-7]{32,64}$",
        description="Base32 seed of a hardware token that is handed out; otherwise a new one is made.",
    )


class StaffChange(Input):
    """Where somebody works from now on, and as what. ``is_active: false`` ends the office."""

    department_id: UUID
    position: str | None = Field(default=None, max_length=60)
    roles: list[Role] = Field(min_length=1)
    is_active: bool = True


class StaffRead(Output):
    """A staff member, the name masked."""

    id: UUID
    name: str
    department_id: UUID
    position: str | None
    roles: list[Role]
    role_labels: list[str]
    is_active: bool
    role_request_id: UUID | None = Field(
        default=None,
        description="The request for high roles that this change has made, for a second operator.",
    )

    @classmethod
    def of(cls, row: Staff, ring: KeyRing, request: RoleRequest | None = None) -> "StaffRead":
        roles = [Role(role) for role in row.roles]
        return cls(
            id=row.id,
            name=mask_name(name_of(row, ring)),
            department_id=row.department_id,
            position=row.position,
            roles=roles,
            role_labels=[ROLE_LABELS[role] for role in roles],
            is_active=row.is_active,
            role_request_id=request.id if request else None,
        )


class NewCredentials(Output):
    """Password and seed of the second factor: shown in this answer alone."""

    username: str
    password: str
    totp_secret: str
    totp_uri: str = Field(description="`otpauth://` address for an authenticator's QR code.")

    @classmethod
    def of(cls, fresh: Fresh, username: str) -> "NewCredentials":
        uri = pyotp.TOTP(fresh.totp_secret).provisioning_uri(name=username, issuer_name=ISSUER_NAME)
        return cls(username=username, password=fresh.password, totp_secret=fresh.totp_secret, totp_uri=uri)


class CredentialReset(Input):
    """Why somebody gets a new password and second factor."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"reason": "LOST_SECOND_FACTOR"}]})

    reason: ResetReason


class CredentialResetDone(Output):
    """The new credentials, or the request that a second operator has to decide on."""

    staff_id: UUID
    credentials: NewCredentials | None
    role_request_id: UUID | None = Field(description="Of who holds a high role.")


class StaffEvent(Output):
    """One entry of a staff member's history."""

    at: datetime
    action: str = Field(examples=["credentials-reset"])
    actor_kind: str
    actor_id: str
    facts: dict[str, Any]


class StaffTimeline(Output):
    """What was done to somebody's credentials, oldest first."""

    items: list[StaffEvent]
    is_intact: bool = Field(
        description="Each entry follows from the one before: nothing was changed afterwards."
    )

    @classmethod
    def of(cls, rows: Sequence[Row[Any]]) -> "StaffTimeline":
        return cls(items=[StaffEvent.model_validate(row) for row in rows], is_intact=verify(rows))


class RoleRequestRead(Output):
    """What somebody is to get, high roles or new credentials, and who asked and decided."""

    id: UUID
    kind: RequestKind
    reason: ResetReason | None = Field(description="Of new credentials.")
    staff_id: UUID
    department_id: UUID
    roles: list[Role] = Field(
        description="High roles to get; of new credentials those that the person holds."
    )
    requested_by: UUID
    requested_at: datetime
    decision: Decision
    decision_label: str
    decided_by: UUID | None
    decided_at: datetime | None
    credentials: NewCredentials | None = Field(
        default=None, description="In the answer to an approval of new ones, and never again."
    )

    @classmethod
    def of(cls, row: RoleRequest, credentials: NewCredentials | None = None) -> "RoleRequestRead":
        return cls(
            id=row.id,
            kind=row.kind,
            reason=row.reason,
            credentials=credentials,
            staff_id=row.staff_id,
            department_id=row.department_id,
            roles=[Role(role) for role in row.roles],
            requested_by=row.requested_by,
            requested_at=row.requested_at,
            decision=row.decision,
            decision_label=DECISION_LABELS[row.decision],
            decided_by=row.decided_by,
            decided_at=row.decided_at,
        )


class RoleDecision(Input):
    """Whether it is granted."""

    approve: bool


class Permission(Output):
    """A scope that a role gives, within the department and division of who holds it."""

    scope: str
    zh: str
    en: str


class RoleRead(Output):
    """A role and what it permits."""

    role: Role
    label: str
    needs_two_operators: bool
    permissions: list[Permission]


class RoleList(Output):
    """All roles; few, so not in pages."""

    items: list[RoleRead]


class StaffCreated(StaffRead):
    """The answer to a creation: the only time that password and seed are shown."""

    username: str
    password: str
    totp_secret: str
    totp_uri: str = Field(description="`otpauth://` address for an authenticator's QR code.")


class DepartmentSnapshot(Output):
    """A department with the revision of its last event: what is not newer is known already."""

    department_id: UUID
    revision: int
    uscc: str
    name: str
    short_name: str
    division: str
    parent_id: UUID | None
    active: bool

    @classmethod
    def of(cls, row: Department) -> "DepartmentSnapshot":
        return cls(
            department_id=row.id,
            revision=row.revision,
            uscc=row.uscc,
            name=row.name,
            short_name=row.short_name,
            division=row.division,
            parent_id=row.parent_id,
            active=row.is_active,
        )


class StaffSnapshot(Output):
    """A staff member's assignment with the revision of its last event. No name."""

    staff_id: UUID
    revision: int
    department_id: UUID
    division: str
    roles: list[str]
    active: bool

    @classmethod
    def of(cls, row: Staff, division: str) -> "StaffSnapshot":
        return cls(
            staff_id=row.id,
            revision=row.revision,
            department_id=row.department_id,
            division=division,
            roles=row.roles,
            active=row.is_active,
        )


class OrganisationSnapshot(Output):
    """The whole organisation at one moment, from which a projection is rebuilt."""

    taken_at: datetime
    departments: list[DepartmentSnapshot]
    staff: list[StaffSnapshot]
