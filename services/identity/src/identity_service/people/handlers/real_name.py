"""Real-name verification: the register confirms that a name belongs to an identity document."""

from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.accounts.throttling import Bucket, admit, forgive
from identity_service.clients.authority import CheckAnswer, CheckResult
from identity_service.db import Transactions
from identity_service.people.domain import (
    REAL_NAME_PER_PERSON,
    Document,
    DocumentClaim,
    IdentityNotConfirmed,
    NoSuchPerson,
    VerificationMethod,
    VerifiedOtherwise,
    check_old_enough,
    normal_name,
    read_document,
)
from identity_service.people.handlers.sealing import document_index
from identity_service.people.handlers.verifications import Finding, bind_identity, keep, tell_level
from identity_service.people.models import Person
from service_common.clock import local_date
from service_common.crypto import KeyRing


class PersonRegister(Protocol):
    """The authority that knows the population."""

    async def check_person(self, *, name: str, id_number: str) -> CheckAnswer: ...

    async def check_document(
        self, *, kind: str, country: str, number: str, name: str, birth_date: date
    ) -> CheckAnswer: ...


@dataclass(frozen=True, slots=True)
class RealNameClaim:
    """What a person says to be. Its repr shows nothing."""

    person_id: UUID
    name: str = field(repr=False)
    document: DocumentClaim = field(repr=False)


async def verify_real_name(
    transactions: Transactions,
    ring: KeyRing,
    register: PersonRegister,
    claim: RealNameClaim,
    *,
    allow_fixtures: bool,
    now: datetime,
) -> Person:
    """Raises a person to trust level 2 when the register confirms name and document. Harmless to repeat.

    The register is asked between two transactions, never inside one.
    Raises: InvalidIdentityNumber, InvalidDocument, WithGuardianOnly, IdentityNotConfirmed, IdentityTaken,
    VerifiedOtherwise, TooMany, AuthorityUnavailable.
    """
    today = local_date(now)
    document = read_document(claim.document, today=today, allow_fixtures=allow_fixtures)
    check_old_enough(document.birth_date, today=today)
    name = normal_name(claim.name)
    bucket = Bucket(REAL_NAME_PER_PERSON, str(claim.person_id))
    async with transactions() as session:
        await is_bound(session, ring, claim.person_id, document)
        await admit(session, ring, [bucket], now=now)
    answer = await ask(register, name, document)
    matched = answer.result is CheckResult.MATCH
    found = Finding(
        VerificationMethod.REAL_NAME, matched, str(answer.result), _shown(name, document), answer.reference
    )
    if not matched:
        async with transactions() as session:
            await keep(session, ring, claim.person_id, found, now=now)
        raise IdentityNotConfirmed
    async with transactions() as session:
        person = await session.get_one(Person, claim.person_id, with_for_update=True)
        if not await is_bound(session, ring, person.id, document):
            await bind_identity(session, ring, person, name, document)
        await keep(session, ring, person.id, found, now=now)
        await tell_level(session, person, now=now)
        await forgive(session, ring, [bucket], at=now)
        return person


async def ask(register: PersonRegister, name: str, document: Document) -> CheckAnswer:
    """The register about a name and a document. Raises: AuthorityUnavailable."""
    if document.country is None:
        return await register.check_person(name=name, id_number=document.number)
    return await register.check_document(
        kind=document.kind,
        country=document.country,
        number=document.number,
        name=name,
        birth_date=document.birth_date,
    )


async def is_bound(session: AsyncSession, ring: KeyRing, person_id: UUID, document: Document) -> bool:
    """Whether the person is verified for this document already. Raises: NoSuchPerson, VerifiedOtherwise."""
    person = await session.get(Person, person_id)
    if person is None or not person.is_active:
        raise NoSuchPerson
    if person.id_number_index not in (None, document_index(ring, document)):
        raise VerifiedOtherwise
    return person.id_number_index is not None


def _shown(name: str, document: Document) -> dict[str, str]:
    return {
        "name": name,
        "kind": document.kind,
        "id_number": document.number,
        **({"country": document.country} if document.country else {}),
    }
