"""Checks at a counter: a clerk sees the person and the papers, and says so with a reference to them."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.clients.authority import CheckResult
from identity_service.db import Transactions
from identity_service.families.handlers import empower
from identity_service.people.domain import (
    DocumentClaim,
    IdentityNotConfirmed,
    NoSuchPerson,
    RealNameFirst,
    VerificationMethod,
    check_minor,
    check_old_enough,
    normal_name,
    read_document,
)
from identity_service.people.handlers import guardians, lookup
from identity_service.people.handlers.real_name import PersonRegister, ask, is_bound
from identity_service.people.handlers.verifications import Finding, bind_identity, keep, tell_level
from identity_service.people.models import Guardianship, Person
from identity_service.profiles.domain import Attribute
from identity_service.profiles.handlers import note_access
from service_common.auth import Caller
from service_common.clock import local_date
from service_common.crypto import KeyRing

_PURPOSE = "COUNTER_CHECK"


@dataclass(frozen=True, slots=True)
class Seen:
    """Who stood at the counter, with which document, and where the evidence is kept. Its repr shows nothing."""

    phone: str = field(repr=False)
    name: str = field(repr=False)
    document: DocumentClaim = field(repr=False)
    evidence_reference: str
    note: str = field(repr=False)


async def verify_at_counter(
    transactions: Transactions,
    ring: KeyRing,
    register: PersonRegister,
    caller: Caller,
    seen: Seen,
    *,
    valid: timedelta,
    allow_fixtures: bool,
    now: datetime,
) -> Person:
    """Raises a person to trust level 4 for a time, by a clerk's word. The person reads in the own log that it was done.

    An identity number must agree with the register as well. Of a travel document that the register does not know, the
    clerk's sight is enough; against a register that says no it is not.
    Raises: NoSuchPerson, IdentityNotConfirmed, VerifiedOtherwise, IdentityTaken, WithGuardianOnly, InvalidDocument,
    InvalidIdentityNumber, InvalidPhone, AuthorityUnavailable.
    """
    today = local_date(now)
    document = read_document(seen.document, today=today, allow_fixtures=allow_fixtures)
    check_old_enough(document.birth_date, today=today)
    name = normal_name(seen.name)
    async with transactions() as session:
        person_id = await lookup.account_of_phone(session, ring, seen.phone)
        if person_id is None:
            raise NoSuchPerson
        await is_bound(session, ring, person_id, document)
    answer = await ask(register, name, document)
    accepted = {CheckResult.MATCH} | ({CheckResult.UNKNOWN} if document.country else set())
    if answer.result not in accepted:
        raise IdentityNotConfirmed
    found = Finding(
        VerificationMethod.COUNTER,
        matched=True,
        result=str(answer.result),
        evidence={"name": name, "kind": str(document.kind), "id_number": document.number, "note": seen.note},
        reference=seen.evidence_reference,
        expires_at=now + valid,
        staff_id=caller.staff_id,
        department_id=caller.department_id,
    )
    async with transactions() as session:
        person = await session.get_one(Person, person_id, with_for_update=True)
        if not await is_bound(session, ring, person.id, document):
            await bind_identity(session, ring, person, name, document)
        await keep(session, ring, person.id, found, now=now)
        await tell_level(session, person, now=now)
        await _log(session, caller, person.id, seen.evidence_reference, now)
        return person


@dataclass(frozen=True, slots=True)
class GuardianSeen:
    """A guardian at the counter with the papers of a child. Its repr shows nothing."""

    guardian_phone: str = field(repr=False)
    child_name: str = field(repr=False)
    child_document: DocumentClaim = field(repr=False)
    evidence_reference: str


async def confirm_guardian(
    transactions: Transactions,
    ring: KeyRing,
    register: PersonRegister,
    caller: Caller,
    seen: GuardianSeen,
    *,
    allow_fixtures: bool,
    now: datetime,
) -> Guardianship:
    """Makes somebody the guardian of a child by papers that a clerk has seen, where the register knows no household.

    Raises: NoSuchPerson, RealNameFirst, NotAMinor, IdentityNotConfirmed, InvalidDocument, InvalidIdentityNumber,
    AuthorityUnavailable.
    """
    today = local_date(now)
    document = read_document(seen.child_document, today=today, allow_fixtures=allow_fixtures)
    check_minor(document.birth_date, today=today)
    name = normal_name(seen.child_name)
    async with transactions() as session:
        guardian_id = await lookup.account_of_phone(session, ring, seen.guardian_phone)
        if guardian_id is None:
            raise NoSuchPerson
        if (await lookup.profile_of(session, ring, guardian_id)).id_number is None:
            raise RealNameFirst
    answer = await ask(register, name, document)
    if answer.result is not CheckResult.MATCH:
        raise IdentityNotConfirmed
    proof = guardians.Proof(seen.evidence_reference, caller.staff_id, caller.department_id)
    async with transactions() as session:
        child = await guardians.find_or_add_child(session, ring, name, document, answer=answer, now=now)
        for person_id in (guardian_id, child.id):
            await _log(session, caller, person_id, seen.evidence_reference, now)
        row = await guardians.begin(session, guardian_id, child.id, document.birth_date, proof, now=now)
        return await empower(session, ring, row.id, now=now)


async def _log(session: AsyncSession, caller: Caller, person_id: UUID, reference: str, now: datetime) -> None:
    await note_access(
        session,
        subject_id=person_id,
        client_id=caller.client_id,
        department_id=caller.department_id,
        attributes=[Attribute.ID_NUMBER, Attribute.NAME],
        purpose=_PURPOSE,
        reference=reference,
        now=now,
    )
