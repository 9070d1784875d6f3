"""Signing up with a code that was sent to the phone."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.accounts import handlers as accounts
from identity_service.accounts.domain import SubjectKind
from identity_service.db import Transactions
from identity_service.people.domain import CodePurpose, PhoneTaken, WrongPhoneCode, normal_phone
from identity_service.people.handlers.phone_codes import try_code, use_up
from identity_service.people.handlers.sealing import phone_index, seal_phone
from identity_service.people.models import Person
from service_common import outbox
from service_common.contracts.identity import PersonRegistered
from service_common.crypto import KeyRing
from service_common.db import new_id


@dataclass(frozen=True, slots=True)
class SignUp:
    """What somebody enters to get an account."""

    username: str
    password: str
    phone: str
    code: str
    language: str = "zh"


async def sign_up(transactions: Transactions, ring: KeyRing, wish: SignUp, *, now: datetime) -> Person:
    """Makes a person of trust level 1.

    Raises: WrongPhoneCode, PhoneTaken, UsernameTaken, UsernameUnsuitable, PasswordUnsuitable, InvalidPhone.
    """
    number = normal_phone(wish.phone)
    # Outside the transactions: hashing takes long, and a wrong code must be counted although the sign-up is refused.
    password_hash = await accounts.prepare_password(wish.password, username=wish.username)
    async with transactions() as session:
        code_fits = await try_code(session, ring, number, CodePurpose.SIGN_UP, wish.code, now=now)
    if not code_fits:
        raise WrongPhoneCode
    async with transactions() as session:
        return await _register(session, ring, wish, password_hash, number, now=now)


async def _register(
    session: AsyncSession, ring: KeyRing, wish: SignUp, password_hash: str, phone: str, *, now: datetime
) -> Person:
    person = Person(
        id=new_id(),
        phone=seal_phone(ring, phone),
        phone_index=phone_index(ring, phone),
        trust_level=1,
        language=wish.language,
    )
    try:
        async with session.begin_nested():
            session.add(person)
    except IntegrityError as error:
        raise PhoneTaken from error
    account = accounts.NewAccount(person.id, SubjectKind.PERSON, wish.username, password_hash)
    await accounts.open_account(session, ring, account, now=now)
    await outbox.add(session, person, PersonRegistered(person_id=person.id), now=now)
    # Used up only now: a user name that is taken must not cost the person another code.
    await use_up(session, ring, phone, CodePurpose.SIGN_UP)
    return person
