"""Showing a code and verifying it: signed by us, used once, telling a terminal no more than its scopes allow."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import delete, update
from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.identity_codes.domain import (
    CODE_LIFE,
    TOKEN_TYPE,
    CodeKind,
    CodeNotValid,
    new_code_id,
)
from identity_service.identity_codes.models import IdentityCode
from identity_service.legal_persons import handlers as legal_persons
from identity_service.legal_persons.domain import ActsAs, NoSuchLegalPerson
from identity_service.oidc.clients import find_client
from identity_service.oidc.provider import Work
from identity_service.oidc.subjects import subject_identifier
from identity_service.people.handlers import lookup
from identity_service.profiles.domain import Attribute
from identity_service.profiles.handlers import note_access
from service_common.auth import Caller
from service_common.crypto import KeyRing

_PURPOSE = "IDENTITY_CODE"


@dataclass(frozen=True, slots=True)
class ShownCode:
    """What goes into the QR code, and until when."""

    text: str
    kind: CodeKind
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Bearer:
    """Who has shown a code, as far as the terminal may know. Its repr shows nothing of the person."""

    kind: CodeKind
    subject: str
    trust_level: int
    legal_person: tuple[UUID, str, str] | None
    acts_as: ActsAs | None
    attributes: dict[Attribute, str | None] = field(repr=False)


async def show_code(work: Work, caller: Caller, legal_person_id: UUID | None) -> ShownCode:
    """A fresh code of the caller, or of a legal person that the caller acts for. Raises: NoSuchLegalPerson."""
    if legal_person_id is not None and await _capacity(work, caller.person_id, legal_person_id) is None:
        raise NoSuchLegalPerson
    kind = CodeKind.PERSON if legal_person_id is None else CodeKind.LEGAL_PERSON
    code_id, expires_at = new_code_id(), work.now + CODE_LIFE
    work.session.add(
        IdentityCode(
            code_hash=_hash(work.ring, code_id),
            person_id=caller.person_id,
            legal_person_id=legal_person_id,
            expires_at=expires_at,
        )
    )
    claims = {
        "iss": work.settings.issuer,
        "jti": code_id,
        "exp": int(expires_at.timestamp()),
        "kind": str(kind),
    }
    return ShownCode(work.keys.sign(claims, kind=TOKEN_TYPE, now=work.now), kind, expires_at)


async def verify_code(
    work: Work, caller: Caller, text: str, allowed: frozenset[Attribute], reference: str | None
) -> Bearer:
    """Uses a code up and tells who has shown it, with an entry in the person's access log.

    Two terminals at once meet in one row: one of them was first. Raises: CodeNotValid.
    """
    used = await use_up(work, caller, text)
    standing = await lookup.standing_of(work.session, used.person_id, now=work.now)
    client = await find_client(work.session, work.ring, work.services, work.catalogue, caller.client_id)
    if standing is None or client is None:
        raise CodeNotValid
    company, acts_as = None, None
    if used.legal_person_id is not None:
        acts_as = await _capacity(work, used.person_id, used.legal_person_id)
        if acts_as is None:
            raise CodeNotValid
        row = await legal_persons.get_legal_person(work.session, used.legal_person_id)
        company = (row.id, row.uscc, row.name)
    profile = await lookup.profile_of(work.session, work.ring, used.person_id)
    attributes = {one: getattr(profile, one) for one in sorted(allowed)}
    await note_access(
        work.session,
        subject_id=used.person_id,
        client_id=caller.client_id,
        department_id=caller.department_id,
        attributes=[*sorted(allowed), Attribute.TRUST_LEVEL],
        purpose=_PURPOSE,
        reference=reference,
        now=work.now,
    )
    return Bearer(
        kind=CodeKind.PERSON if company is None else CodeKind.LEGAL_PERSON,
        subject=subject_identifier(work.ring, client, used.person_id),
        trust_level=standing.trust_level,
        legal_person=company,
        acts_as=acts_as,
        attributes=attributes,
    )


async def use_up(work: Work, caller: Caller, text: str) -> IdentityCode:
    """The code behind a text, from now on used. Raises: CodeNotValid."""
    claims = work.keys.read(text, kind=TOKEN_TYPE)
    if claims is None or claims.get("iss") != work.settings.issuer:
        raise CodeNotValid
    used: IdentityCode | None = await work.session.scalar(
        update(IdentityCode)
        .where(
            IdentityCode.code_hash == _hash(work.ring, str(claims.get("jti"))),
            IdentityCode.used_at.is_(None),
            IdentityCode.expires_at > work.now,
        )
        .values(used_at=work.now, used_by=caller.client_id)
        .returning(IdentityCode)
    )
    if used is None:
        raise CodeNotValid
    return used


async def _capacity(work: Work, person_id: UUID, legal_person_id: UUID) -> ActsAs | None:
    for one in await legal_persons.represented_by(work.session, person_id, now=work.now):
        if one.legal_person.id == legal_person_id:
            return one.acts_as
    return None


def _hash(ring: KeyRing, code_id: str) -> bytes:
    return ring.blind_index(code_id, column="identity_codes.code_hash")


async def prune_identity_codes(session: AsyncSession, *, now: datetime) -> None:
    """Forgets codes past their minute."""
    await session.execute(delete(IdentityCode).where(IdentityCode.expires_at < now))
