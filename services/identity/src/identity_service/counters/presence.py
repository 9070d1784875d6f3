"""Meeting somebody at a counter, and the proof of it that the clerk's next step uses up elsewhere."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.identity_codes.domain import CodeNotValid
from identity_service.identity_codes.handlers import use_up
from identity_service.inbox.domain import Template
from identity_service.inbox.handlers import Notice, tell
from identity_service.legal_persons import handlers as legal_persons
from identity_service.legal_persons.domain import NotActingForIt
from identity_service.legal_persons.handlers import Represented
from identity_service.oidc.provider import Work
from identity_service.people.handlers import lookup
from identity_service.profiles.domain import Attribute
from identity_service.profiles.handlers import note_access
from identity_service.settings import Settings
from identity_service.signing.handlers import SigningKeys
from service_common.auth import Caller, NotStaff
from service_common.crypto import KeyRing
from service_common.db import new_id
from service_common.presence import PRESENCE_LIFE, TOKEN_TYPE, Presence, PresenceMethod

PURPOSE = "COUNTER_PRESENCE"
# The one service with counters at which somebody is served in their presence.
_AUDIENCE = "urn:lianban:acceptance"


@dataclass(frozen=True, slots=True)
class Met:
    """Who is there, as far as a clerk needs to see it. Its repr shows no name."""

    presence: Presence
    name: str | None = field(repr=False)
    company: Represented | None


async def meet_by_code(work: Work, caller: Caller, text: str) -> Met:
    """Uses up the code that somebody shows to a clerk, with an entry in the person's access log.

    Raises: CodeNotValid, NotStaff.
    """
    used = await use_up(work, caller, text)
    standing = await lookup.standing_of(work.session, used.person_id, now=work.now)
    if standing is None:
        raise CodeNotValid
    company = None
    if used.legal_person_id is not None:
        company = await _represented(
            work.session, used.person_id, legal_person_id=used.legal_person_id, now=work.now
        )
        if company is None:
            raise CodeNotValid
    profile = await lookup.profile_of(work.session, work.ring, used.person_id)
    presence = _presence(
        caller, used.person_id, company, PresenceMethod.IDENTITY_CODE, standing.trust_level, now=work.now
    )
    await note_access(
        work.session,
        subject_id=used.person_id,
        client_id=caller.client_id,
        department_id=caller.department_id,
        attributes=[Attribute.NAME, Attribute.TRUST_LEVEL],
        purpose=PURPOSE,
        reference=str(presence.id),
        now=work.now,
    )
    return Met(presence, profile.name, company)


async def meet_by_check(
    session: AsyncSession, ring: KeyRing, caller: Caller, person_id: UUID, uscc: str | None, *, now: datetime
) -> Met:
    """Somebody whom the clerk has just verified by the document. As nobody's phone was in it, the person is told at once.

    Raises: NoSuchPerson, NotActingForIt, NotStaff.
    """
    profile = await lookup.profile_of(session, ring, person_id, now=now)
    company = None
    if uscc is not None:
        company = await _represented(session, person_id, uscc=uscc, now=now)
        if company is None:
            raise NotActingForIt
    presence = _presence(
        caller, person_id, company, PresenceMethod.COUNTER_CHECK, profile.trust_level, now=now
    )
    await tell(
        session, [person_id], Notice(presence.id, Template.VERIFIED_AT_COUNTER, "ACCOUNT", person_id, {}, now)
    )
    return Met(presence, profile.name, company)


def signed(presence: Presence, keys: SigningKeys, settings: Settings, *, now: datetime) -> str:
    """The proof for the clerk to hand on; the clerk's program need not read it."""
    claims = {"iss": settings.issuer, "aud": _AUDIENCE, "iat": int(now.timestamp()), **presence.claims()}
    return keys.sign(claims, kind=TOKEN_TYPE, now=now)


def _presence(
    caller: Caller,
    person_id: UUID,
    company: Represented | None,
    method: PresenceMethod,
    trust_level: int,
    *,
    now: datetime,
) -> Presence:
    if caller.department_id is None or caller.division is None:
        raise NotStaff
    return Presence(
        id=new_id(),
        person_id=person_id,
        legal_person_id=company.legal_person.id if company else None,
        trust_level=trust_level,
        method=method,
        staff_id=caller.staff_id,
        department_id=caller.department_id,
        division=caller.division,
        expires_at=(now + PRESENCE_LIFE).replace(microsecond=0),
    )


async def _represented(
    session: AsyncSession,
    person_id: UUID,
    *,
    legal_person_id: UUID | None = None,
    uscc: str | None = None,
    now: datetime,
) -> Represented | None:
    for one in await legal_persons.represented_by(session, person_id, now=now):
        if one.legal_person.id == legal_person_id or one.legal_person.uscc == uscc:
            return one
    return None
