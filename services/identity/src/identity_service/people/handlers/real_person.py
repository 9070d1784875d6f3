"""Real-person verification 实人: the face, or the national network identity, of somebody whose name is known."""

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Protocol
from uuid import UUID

from identity_service.accounts.throttling import Bucket, admit, forgive
from identity_service.clients.authority import CheckAnswer, CheckResult
from identity_service.db import Transactions
from identity_service.people.domain import FACE_PER_PERSON, NotConfirmed, RealNameFirst, VerificationMethod
from identity_service.people.handlers.lookup import profile_of
from identity_service.people.handlers.sealing import Profile
from identity_service.people.handlers.verifications import Finding, keep, tell_level
from identity_service.people.models import Person
from service_common.crypto import KeyRing


class FaceRegister(Protocol):
    """The authority that has pictures of everybody."""

    async def check_face(self, *, name: str, id_number: str, picture: bytes) -> CheckAnswer: ...


class NetworkIdentityRegister(Protocol):
    """The national platform of network identity (Order 173 of six ministries, 2025)."""

    async def check_network_identity(self, *, credential: str, id_number: str) -> CheckAnswer: ...


async def verify_face(
    transactions: Transactions,
    ring: KeyRing,
    register: FaceRegister,
    person_id: UUID,
    picture: bytes,
    *,
    valid: timedelta,
    now: datetime,
) -> Person:
    """Raises a person to trust level 3 when the authority says that it is the face. The picture is not kept.

    Raises: RealNameFirst, NotConfirmed, TooMany, AuthorityUnavailable.
    """

    async def ask(name: str, id_number: str) -> CheckAnswer:
        return await register.check_face(name=name, id_number=id_number, picture=picture)

    return await _verify(transactions, ring, person_id, VerificationMethod.FACE, ask, valid=valid, now=now)


async def verify_network_identity(
    transactions: Transactions,
    ring: KeyRing,
    register: NetworkIdentityRegister,
    person_id: UUID,
    credential: str,
    *,
    valid: timedelta,
    now: datetime,
) -> Person:
    """Raises a person to trust level 3 by a network credential 网证. It is voluntary: a face does as well.

    Raises: RealNameFirst, NotConfirmed, TooMany, AuthorityUnavailable.
    """

    async def ask(_name: str, id_number: str) -> CheckAnswer:
        return await register.check_network_identity(credential=credential, id_number=id_number)

    method = VerificationMethod.NETWORK_IDENTITY
    return await _verify(transactions, ring, person_id, method, ask, valid=valid, now=now)


async def _verify(
    transactions: Transactions,
    ring: KeyRing,
    person_id: UUID,
    method: VerificationMethod,
    ask: Callable[[str, str], Awaitable[CheckAnswer]],
    *,
    valid: timedelta,
    now: datetime,
) -> Person:
    bucket = Bucket(FACE_PER_PERSON, f"{method}\x00{person_id}")
    async with transactions() as session:
        known: Profile = await profile_of(session, ring, person_id)
        # Authorities know faces and credentials by identity number; a traveller's passport has none.
        if known.name is None or known.id_number is None or known.document_country is not None:
            raise RealNameFirst
        await admit(session, ring, [bucket], now=now)
    answer = await ask(known.name, known.id_number)
    matched = answer.result is CheckResult.MATCH
    evidence = {"score": answer.score} if answer.score is not None else {}
    found = Finding(
        method,
        matched,
        str(answer.result),
        evidence,
        reference=answer.reference,
        expires_at=now + valid if matched else None,
    )
    async with transactions() as session:
        person = await session.get_one(Person, person_id, with_for_update=True)
        await keep(session, ring, person_id, found, now=now)
        if matched:
            await tell_level(session, person, now=now)
            await forgive(session, ring, [bucket], at=now)
    if not matched:
        raise NotConfirmed
    return person
