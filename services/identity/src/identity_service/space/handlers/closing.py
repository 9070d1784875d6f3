"""Closing an account 注销: nobody logs in any more, every right ends, and what has to stay, stays.

Sealed name and number stay with the person's row, because cases and logs of years refer to it and the law asks to know whom
they were about. Phone and number no longer find it: the same human may sign up anew.
"""

from datetime import datetime
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.accounts import handlers as accounts
from identity_service.accounts import passwords
from identity_service.accounts.domain import CHANGE_PASSWORD
from identity_service.accounts.throttling import Bucket, admit
from identity_service.credentials.domain import WrongCurrentPassword
from identity_service.db import Transactions
from identity_service.delegations import handlers as delegations
from identity_service.delegations.domain import Standing
from identity_service.families.handlers import end_guardianship
from identity_service.legal_persons import handlers as legal_persons
from identity_service.oidc.models import Consent
from identity_service.passkeys import handlers as passkeys
from identity_service.people.handlers import guardians
from identity_service.people.models import Person
from identity_service.sessions import handlers as sessions
from service_common import outbox
from service_common.auth import Caller
from service_common.contracts.identity import PersonClosed, SessionEndReason
from service_common.crypto import KeyRing

_MANY = 1000


async def close_account(
    transactions: Transactions, ring: KeyRing, caller: Caller, password: str, *, now: datetime
) -> None:
    """Closes the caller's account, in one transaction with everything that ends with it.

    Raises: WrongCurrentPassword, StillRepresents, TooMany.
    """
    person_id = caller.person_id
    async with transactions() as session:
        await admit(session, ring, [Bucket(CHANGE_PASSWORD, str(person_id))], now=now)
        account = await accounts.find_account(session, person_id)
    if account is None or not await passwords.password_fits(password, account.password_hash):
        raise WrongCurrentPassword
    async with transactions() as session:
        if not await accounts.hold_unchanged(session, account):
            raise WrongCurrentPassword
        person = await session.get_one(Person, person_id, with_for_update=True)
        await legal_persons.leave_all(session, person_id, now=now)
        await _end_guardianships(session, person_id, now)
        await _end_delegations(session, caller, now)
        await session.execute(delete(Consent).where(Consent.subject_id == person_id))
        await sessions.end_everything_of(session, person_id, reason=SessionEndReason.CLOSED, now=now)
        await passkeys.remove_all(session, person_id)
        await accounts.set_active(session, person_id, active=False)
        person.is_active = False
        person.phone = person.phone_index = person.id_number_index = None
        await outbox.add(session, person, PersonClosed(person_id=person_id), now=now)


async def _end_guardianships(session: AsyncSession, person_id: UUID, now: datetime) -> None:
    for row in await guardians.guardianships_of(session, person_id, now=now):
        if row.guardian_id == person_id:
            await end_guardianship(session, person_id, row.id, now=now)


async def _end_delegations(session: AsyncSession, caller: Caller, now: datetime) -> None:
    over = (Standing.REVOKED, Standing.EXPIRED)
    for row in await delegations.list_delegations(session, caller, before=None, limit=_MANY):
        if row.standing(now) not in over:
            await delegations.revoke_delegation(session, caller, row.id, now=now)
