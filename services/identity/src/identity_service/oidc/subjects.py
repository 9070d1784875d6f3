"""What tokens say of a subject, asked anew for every token: roles and levels change."""

import base64
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.accounts.domain import SubjectKind
from identity_service.legal_persons import handlers as legal_persons
from identity_service.oidc.clients import OAuthClient
from identity_service.oidc.domain import STAFF_LEVEL, Subject
from identity_service.organisation.handlers import staff
from identity_service.people.handlers import lookup
from identity_service.scopes import OPENID_NAMES, ScopeCatalogue
from service_common.crypto import KeyRing

_CITIZEN = "citizen"
_COMPANY_AGENT = "company_agent"


async def load_subject(
    session: AsyncSession, kind: SubjectKind, subject_id: UUID, *, now: datetime
) -> Subject | None:
    """A person or a staff member; None for one who may not be here any longer."""
    if kind is SubjectKind.STAFF:
        assignment = await staff.assignment_of(session, subject_id)
        if assignment is None:
            return None
        return Subject(
            subject_id,
            kind,
            assignment.roles,
            STAFF_LEVEL,
            department_id=assignment.department_id,
            division=assignment.division,
        )
    standing = await lookup.standing_of(session, subject_id, now=now)
    if standing is None:
        return None
    ids = await legal_persons.ids_represented_by(session, subject_id, now=now)
    roles = {_CITIZEN, _COMPANY_AGENT} if ids else {_CITIZEN}
    return Subject(subject_id, kind, frozenset(roles), standing.trust_level, represents=tuple(ids))


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
