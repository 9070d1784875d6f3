"""What a client may know of who has logged in (OpenID Connect Core §5.3)."""

from collections.abc import Collection
from typing import Any
from uuid import UUID

from identity_service.accounts.domain import SubjectKind
from identity_service.accounts.handlers import find_account
from identity_service.oidc.claims import CLAIM_SCOPES
from identity_service.oidc.clients import OAuthClient, find_client
from identity_service.oidc.provider import Work
from identity_service.oidc.subjects import subject_identifier
from identity_service.organisation.handlers import staff
from identity_service.organisation.models import Staff
from identity_service.people.handlers import lookup
from identity_service.profiles.handlers import note_access
from identity_service.sessions import handlers as sessions
from identity_service.sessions.models import Grant
from service_common.auth import Caller
from service_common.tokens import InvalidToken


async def claims_for(work: Work, caller: Caller) -> dict[str, Any]:
    """The claims of the granted scopes, and those that were asked for by name. Raises: InvalidToken, for an ended session."""
    grant = await sessions.find_grant(work.session, UUID(caller.session_id)) if caller.session_id else None
    client = await find_client(work.session, work.ring, work.services, work.catalogue, caller.client_id)
    if grant is None or grant.ended_at is not None or client is None:
        raise InvalidToken
    named = {name for name, scope in CLAIM_SCOPES.items() if scope in caller.scopes}
    named |= set((grant.claims or {}).get("userinfo", []))
    told = await personal_claims(work, client, grant, named, purpose="userinfo")
    return told | {"sub": subject_identifier(work.ring, client, grant.subject_id)}


async def personal_claims(
    work: Work, client: OAuthClient, grant: Grant, names: Collection[str], *, purpose: str
) -> dict[str, Any]:
    """Those of the named claims that there are. A third party that is told a name or number is noted in the access log."""
    if not names:
        return {}
    known = await (_of_staff if grant.kind is SubjectKind.STAFF else _of_person)(work, grant)
    told = {name: value for name, value in known.items() if name in names}
    attributes = sorted({"name", "phone_number"} & set(told))
    if attributes and not client.is_first_party and grant.kind is SubjectKind.PERSON:
        await note_access(
            work.session,
            subject_id=grant.subject_id,
            client_id=client.client_id,
            department_id=client.department_id,
            attributes=attributes,
            purpose=purpose,
            reference=None,
            now=work.now,
        )
    return told


async def _of_staff(work: Work, grant: Grant) -> dict[str, Any]:
    member = await work.session.get_one(Staff, grant.subject_id)
    return await _account(work, grant) | {"name": staff.name_of(member, work.ring)}


async def _of_person(work: Work, grant: Grant) -> dict[str, Any]:
    person = await lookup.profile_of(work.session, work.ring, grant.subject_id)
    claims = await _account(work, grant) | ({"name": person.name} if person.name else {})
    return claims | {"phone_number": f"+86{person.phone}", "phone_number_verified": True}


async def _account(work: Work, grant: Grant) -> dict[str, Any]:
    account = await find_account(work.session, grant.subject_id)
    return {"preferred_username": account.username} if account else {}
