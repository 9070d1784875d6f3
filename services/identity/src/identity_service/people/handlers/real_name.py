"""Real-name verification: the register confirms that a name belongs to an identity number."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from gov_rules.identifiers import IdentityNumber
from identity_service.accounts.throttling import Bucket, admit, forgive
from identity_service.clients.authority import CheckAnswer, CheckResult
from identity_service.db import Transactions
from identity_service.people.domain import (
    LEVEL_REACHED,
    REAL_NAME_PER_PERSON,
    IdentityNotConfirmed,
    IdentityTaken,
    NoSuchPerson,
    VerificationMethod,
    VerifiedOtherwise,
    normal_name,
    read_identity_number,
)
from identity_service.people.handlers.sealing import id_number_index, seal_id_number, seal_name
from identity_service.people.models import Person, Verification
from service_common import outbox
from service_common.clock import local_date
from service_common.contracts.identity import PersonVerified
from service_common.crypto import KeyRing

_EVIDENCE = "verifications.evidence"


class PersonRegister(Protocol):
    """The authority that knows the population."""

    async def check_person(self, *, name: str, id_number: str) -> CheckAnswer: ...


@dataclass(frozen=True, slots=True)
class RealNameClaim:
    """What a person says to be. Its repr shows nothing."""

    person_id: UUID
    name: str = field(repr=False)
    id_number: str = field(repr=False)


async def verify_real_name(
    transactions: Transactions,
    ring: KeyRing,
    register: PersonRegister,
    claim: RealNameClaim,
    *,
    allow_fixtures: bool,
    now: datetime,
) -> Person:
    """Raises a person to trust level 2 when the register confirms name and number. Harmless to repeat.

    The register is asked between two transactions, never inside one.
    Raises: InvalidIdentityNumber, IdentityNotConfirmed, IdentityTaken, VerifiedOtherwise, TooMany, AuthorityUnavailable.
    """
    number = read_identity_number(claim.id_number, today=local_date(now), allow_fixtures=allow_fixtures)
    name = normal_name(claim.name)
    bucket = Bucket(REAL_NAME_PER_PERSON, str(claim.person_id))
    async with transactions() as session:
        await _check_not_verified_otherwise(session, ring, claim.person_id, number)
        await admit(session, ring, [bucket], now=now)
    answer = await register.check_person(name=name, id_number=number.value)
    async with transactions() as session:
        await _keep_evidence(session, ring, claim.person_id, name, number, answer=answer, now=now)
    if answer.result is not CheckResult.MATCH:
        raise IdentityNotConfirmed
    async with transactions() as session:
        person = await _raise_level(session, ring, claim.person_id, name, number, now=now)
        await forgive(session, ring, [bucket])
        return person


async def _check_not_verified_otherwise(
    session: AsyncSession, ring: KeyRing, person_id: UUID, number: IdentityNumber
) -> None:
    person = await session.get(Person, person_id)
    if person is None or not person.is_active:
        raise NoSuchPerson
    if person.id_number_index not in (None, id_number_index(ring, number.value)):
        raise VerifiedOtherwise


async def _keep_evidence(
    session: AsyncSession,
    ring: KeyRing,
    person_id: UUID,
    name: str,
    number: IdentityNumber,
    *,
    answer: CheckAnswer,
    now: datetime,
) -> None:
    """Also of a refusal: who tried to be somebody else is of interest."""
    method = VerificationMethod.REAL_NAME
    matched = answer.result is CheckResult.MATCH
    session.add(
        Verification(
            person_id=person_id,
            method=method,
            level=LEVEL_REACHED[method] if matched else None,
            result=str(answer.result),
            evidence=ring.encrypt_json({"name": name, "id_number": number.value}, column=_EVIDENCE),
            checked_at=now,
        )
    )


async def _raise_level(
    session: AsyncSession, ring: KeyRing, person_id: UUID, name: str, number: IdentityNumber, *, now: datetime
) -> Person:
    person = await session.get_one(Person, person_id, with_for_update=True)
    level = LEVEL_REACHED[VerificationMethod.REAL_NAME]
    if person.trust_level >= level:
        return person
    person.name = seal_name(ring, name)
    person.id_number = seal_id_number(ring, number.value)
    person.id_number_index = id_number_index(ring, number.value)
    person.id_kind = number.kind
    person.trust_level = level
    try:
        await session.flush()
    except IntegrityError as error:
        raise IdentityTaken from error
    await outbox.add(session, person, PersonVerified(person_id=person.id, level=level), now=now)
    await session.flush()
    return person
