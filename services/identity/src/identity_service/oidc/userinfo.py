"""What a client may know of who has logged in (OpenID Connect Core §5.3)."""

from typing import Any
from uuid import UUID

from identity_service.accounts.domain import SubjectKind
from identity_service.accounts.handlers import find_account
from identity_service.oidc.clients import find_client
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
    """The claims of the granted scopes. A third party that is told a name or number is noted in the person's access log.

    Raises: InvalidToken, for a session that has ended since.
    """
    grant = await sessions.find_grant(work.session, UUID(caller.session_id)) if caller.session_id else None
    client = await find_client(work.session, work.ring, work.services, work.catalogue, caller.client_id)
    if grant is None or grant.ended_at is not None or client is None:
        raise InvalidToken
    claims: dict[str, Any] = {"sub": subject_identifier(work.ring, client, grant.subject_id)}
    if "profile" in caller.scopes:
        claims |= await _profile(work, grant)
    if "phone" in caller.scopes and grant.kind is SubjectKind.PERSON:
        person = await lookup.profile_of(work.session, work.ring, grant.subject_id)
        claims |= {"phone_number": f"+86{person.phone}", "phone_number_verified": True}
    attributes = sorted({"name", "phone_number"} & set(claims))
    if attributes and not client.is_first_party and grant.kind is SubjectKind.PERSON:
        await note_access(
            work.session,
            subject_id=grant.subject_id,
            client_id=client.client_id,
            department_id=client.department_id,
            attributes=attributes,
            purpose="userinfo",
            reference=None,
            now=work.now,
        )
    return claims


async def _profile(work: Work, grant: Grant) -> dict[str, Any]:
    account = await find_account(work.session, grant.subject_id)
    claims: dict[str, Any] = {"preferred_username": account.username} if account else {}
    if grant.kind is SubjectKind.STAFF:
        member = await work.session.get_one(Staff, grant.subject_id)
        return claims | {"name": staff.name_of(member, work.ring)}
    person = await lookup.profile_of(work.session, work.ring, grant.subject_id)
    return claims | ({"name": person.name} if person.name else {})
