"""What tokens say of a subject, asked anew for every token: roles and levels change."""

import base64
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import DateTime, Row, Select, SQLColumnExpression, and_, bindparam, select
from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.accounts.domain import SubjectKind
from identity_service.accounts.models import Account
from identity_service.legal_persons.handlers import ids_represented
from identity_service.oidc.clients import OAuthClient
from identity_service.oidc.domain import STAFF_LEVEL, Subject
from identity_service.organisation.models import Department, Staff
from identity_service.people.handlers.verifications import living_level
from identity_service.people.models import Person
from identity_service.scopes import OPENID_NAMES, ScopeCatalogue
from service_common.crypto import KeyRing

_CITIZEN = "citizen"
_COMPANY_AGENT = "company_agent"
_NOW = bindparam("now", type_=DateTime(timezone=True))


def with_subject(
    statement: Select[*tuple[Any, ...]], account_id: SQLColumnExpression[UUID]
) -> Select[*tuple[Any, ...]]:
    """The statement with what ``subject_of`` reads of the person or staff member whose account it names. It takes ``now``."""
    return (
        statement.add_columns(
            Person.id.label("person_id"),
            living_level(Person.id, _NOW).label("trust_level"),
            ids_represented(Person.id, _NOW).label("represents"),
            Staff.department_id.label("staff_department_id"),
            Department.division.label("staff_division"),
            Staff.roles.label("staff_roles"),
        )
        .outerjoin(Person, and_(Person.id == account_id, Person.is_active))
        .outerjoin(Staff, and_(Staff.id == account_id, Staff.is_active))
        .outerjoin(Department, Department.id == Staff.department_id)
    )


def subject_of(row: Row[Any], kind: SubjectKind, subject_id: UUID) -> Subject | None:
    """A person or a staff member; None for one who may not be here any longer."""
    if kind is SubjectKind.STAFF:
        if row.staff_department_id is None:
            return None
        return Subject(
            subject_id,
            kind,
            frozenset(row.staff_roles),
            STAFF_LEVEL,
            department_id=row.staff_department_id,
            division=row.staff_division,
        )
    if row.person_id is None:
        return None
    ids = sorted(row.represents)
    roles = {_CITIZEN, _COMPANY_AGENT} if ids else {_CITIZEN}
    return Subject(subject_id, kind, frozenset(roles), row.trust_level, represents=tuple(ids))


# Built once, like every statement on the way from a request to its tokens: building one costs as much as sending it.
_SUBJECT = with_subject(select(Account.id), Account.id).where(Account.id == bindparam("account_id"))


async def load_subject(
    session: AsyncSession, kind: SubjectKind, subject_id: UUID, *, now: datetime
) -> Subject | None:
    """A person or a staff member, by one statement; None for one who may not be here any longer."""
    row = (await session.execute(_SUBJECT, {"account_id": subject_id, "now": now})).first()
    return subject_of(row, kind, subject_id) if row is not None else None


def grantable(catalogue: ScopeCatalogue, client: OAuthClient, subject: Subject) -> frozenset[str]:
    """The scopes that somebody's token may carry for a client.

    A third party is told who a person is and no more: services answer with stable ids, by which departments could join
    what they know (docs/adr/0006-partner-tokens.md).
    """
    names = catalogue.grantable(subject.roles)
    return names if client.is_first_party or subject.kind is SubjectKind.STAFF else names & OPENID_NAMES


def subject_identifier(ring: KeyRing, client: OAuthClient, subject_id: UUID) -> str:
    """The ``sub`` that a client sees: the platform's own the stable id, others one of their own (Core §8.1)."""
    if client.is_first_party:
        return str(subject_id)
    pairwise = ring.blind_index(f"{client.sector}\x00{subject_id}", column="pairwise_subject")
    return base64.urlsafe_b64encode(pairwise).rstrip(b"=").decode()
