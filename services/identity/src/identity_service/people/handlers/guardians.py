"""Children and their guardians: who acts for a child, on whose word, until the child is of age."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Protocol
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.accounts.throttling import Bucket, admit, forgive
from identity_service.clients.authority import CheckAnswer, CheckResult
from identity_service.db import Transactions
from identity_service.people.domain import (
    REAL_NAME_PER_PERSON,
    Document,
    DocumentClaim,
    GuardianNotConfirmed,
    IdentityNotConfirmed,
    IdentityTaken,
    NoSuchGuardianship,
    RealNameFirst,
    VerificationMethod,
    check_minor,
    comes_of_age,
    normal_name,
    read_document,
)
from identity_service.people.handlers.lookup import profile_of
from identity_service.people.handlers.real_name import PersonRegister, ask
from identity_service.people.handlers.sealing import document_index
from identity_service.people.handlers.verifications import Finding, bind_identity, keep, tell_level
from identity_service.people.models import Guardianship, Person
from service_common import outbox
from service_common.clock import SHANGHAI, local_date
from service_common.contracts.identity import PersonRegistered
from service_common.crypto import KeyRing
from service_common.db import new_id


class FamilyRegister(PersonRegister, Protocol):
    """The authority that knows households as well."""

    async def check_guardian(self, *, guardian_id_number: str, child_id_number: str) -> CheckAnswer: ...


@dataclass(frozen=True, slots=True)
class ChildClaim:
    """A child as its guardian tells it. Its repr shows nothing."""

    name: str = field(repr=False)
    document: DocumentClaim = field(repr=False)


@dataclass(frozen=True, slots=True)
class Proof:
    """On whose word somebody is a guardian: the register's, or a clerk's who has seen the papers."""

    reference: str | None
    staff_id: UUID | None = None
    department_id: UUID | None = None


async def register_child(
    transactions: Transactions,
    ring: KeyRing,
    register: FamilyRegister,
    guardian_id: UUID,
    claim: ChildClaim,
    *,
    allow_fixtures: bool,
    now: datetime,
) -> Guardianship:
    """Registers a child for whom the caller then acts, when the register names the caller as guardian. Harmless to repeat.

    Raises: RealNameFirst, NotAMinor, InvalidIdentityNumber, InvalidDocument, IdentityNotConfirmed, GuardianNotConfirmed,
    TooMany, AuthorityUnavailable.
    """
    today = local_date(now)
    document = read_document(claim.document, today=today, allow_fixtures=allow_fixtures)
    check_minor(document.birth_date, today=today)
    name = normal_name(claim.name)
    bucket = Bucket(REAL_NAME_PER_PERSON, f"child\x00{guardian_id}")
    async with transactions() as session:
        guardian = await profile_of(session, ring, guardian_id)
        if guardian.id_number is None:
            raise RealNameFirst
        await admit(session, ring, [bucket], now=now)
    answer = await ask(register, name, document)
    if answer.result is not CheckResult.MATCH:
        raise IdentityNotConfirmed
    if document.country is not None or guardian.document_country is not None:
        raise GuardianNotConfirmed  # households are known by identity number: others go to a counter
    relation = await register.check_guardian(
        guardian_id_number=guardian.id_number, child_id_number=document.number
    )
    if relation.result is not CheckResult.MATCH:
        raise GuardianNotConfirmed
    async with transactions() as session:
        child = await find_or_add_child(session, ring, name, document, answer=answer, now=now)
        await forgive(session, ring, [bucket], at=now)
        return await begin(
            session, guardian_id, child.id, document.birth_date, Proof(relation.reference), now=now
        )


async def find_or_add_child(
    session: AsyncSession,
    ring: KeyRing,
    name: str,
    document: Document,
    *,
    answer: CheckAnswer,
    now: datetime,
) -> Person:
    """The person of a document that the register has confirmed, made without phone and account when there is none.

    Of two who do so at once the second waits, and finds what the first has made.
    """
    index = document_index(ring, document)
    known = select(Person).where(Person.id_number_index == index).with_for_update()
    child = await session.scalar(known)
    if child is not None:
        return child
    try:
        async with session.begin_nested():
            return await _add_child(session, ring, name, document, answer=answer, now=now)
    except IdentityTaken:
        return (await session.scalars(known)).one()


async def _add_child(
    session: AsyncSession,
    ring: KeyRing,
    name: str,
    document: Document,
    *,
    answer: CheckAnswer,
    now: datetime,
) -> Person:
    """Raises: IdentityTaken."""
    child = Person(id=new_id(), trust_level=1)
    session.add(child)
    await session.flush()
    await outbox.add(session, child, PersonRegistered(person_id=child.id), now=now)
    await bind_identity(session, ring, child, name, document)
    evidence = {"name": name, "kind": str(document.kind), "id_number": document.number}
    found = Finding(VerificationMethod.REAL_NAME, True, str(answer.result), evidence, answer.reference)
    await keep(session, ring, child.id, found, now=now)
    await tell_level(session, child, now=now)
    return child


async def begin(
    session: AsyncSession, guardian_id: UUID, child_id: UUID, birth_date: date, proof: Proof, *, now: datetime
) -> Guardianship:
    """A guardian from now until the child is of age; the running one when there is one."""
    until = datetime.combine(comes_of_age(birth_date), time(), SHANGHAI)
    row = {
        "id": new_id(),
        "guardian_id": guardian_id,
        "child_id": child_id,
        "reference": proof.reference,
        "staff_id": proof.staff_id,
        "department_id": proof.department_id,
        "since": now,
        "until": until,
    }
    await session.execute(insert(Guardianship).values(row).on_conflict_do_nothing())
    found = await session.scalars(
        select(Guardianship).where(
            Guardianship.guardian_id == guardian_id,
            Guardianship.child_id == child_id,
            Guardianship.ended_at.is_(None),
        )
    )
    return found.one()


async def end(
    session: AsyncSession, guardian_id: UUID, guardianship_id: UUID, *, now: datetime
) -> Guardianship:
    """Ends it, by the guardian. Raises: NoSuchGuardianship."""
    row = await session.get(Guardianship, guardianship_id, with_for_update=True)
    if row is None or row.guardian_id != guardian_id or row.ended_at is not None:
        raise NoSuchGuardianship
    row.ended_at = now
    return row


async def guardianships_of(
    session: AsyncSession, person_id: UUID, *, now: datetime
) -> Sequence[Guardianship]:
    """Those that run, as guardian or as child."""
    found = await session.scalars(
        select(Guardianship)
        .where(
            or_(Guardianship.guardian_id == person_id, Guardianship.child_id == person_id),
            Guardianship.ended_at.is_(None),
            Guardianship.until > now,
        )
        .order_by(Guardianship.id)
    )
    return found.all()
