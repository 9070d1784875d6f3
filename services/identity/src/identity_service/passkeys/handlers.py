"""Registering passkeys and logging in with them. All that is WebAuthn is py_webauthn's."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import webauthn
from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession
from webauthn.helpers import base64url_to_bytes, options_to_json_dict, parse_authentication_credential_json
from webauthn.helpers.exceptions import WebAuthnException
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from identity_service.accounts.handlers import hold_account
from identity_service.accounts.models import Account
from identity_service.passkeys.domain import (
    CHALLENGE_LIFE,
    MOST_PASSKEYS,
    Ceremony,
    NoSuchPasskey,
    PasskeyKnown,
    PasskeyRefused,
    TooManyPasskeys,
)
from identity_service.passkeys.models import Passkey, PasskeyChallenge

_NAME_OF_US = "联办统一身份认证"


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """What browsers know us by: the host keys are bound to, and the origin pages come from."""

    id: str
    origin: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A challenge and the options that go to the browser (WebAuthn level 3 ``toJSON``)."""

    challenge_id: UUID
    options: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Signed:
    """What an authenticator has answered to a challenge, as the browser tells it."""

    challenge_id: UUID
    credential: dict[str, Any]


async def begin_registration(
    session: AsyncSession, us: RelyingParty, account_id: UUID, *, now: datetime
) -> Asked:
    """Asks for a discoverable key with user verification; nothing personal goes into it but the user name.

    Raises: TooManyPasskeys.
    """
    account = await session.get_one(Account, account_id)
    known = await list_passkeys(session, account_id)
    if len(known) >= MOST_PASSKEYS:
        raise TooManyPasskeys
    options = webauthn.generate_registration_options(
        rp_id=us.id,
        rp_name=_NAME_OF_US,
        user_id=account.id.bytes,
        user_name=account.username,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=[PublicKeyCredentialDescriptor(id=one.credential_id) for one in known],
    )
    challenge = await _remember(session, Ceremony.REGISTER, options.challenge, account.id, now)
    return Asked(challenge, options_to_json_dict(options))


async def finish_registration(
    session: AsyncSession,
    us: RelyingParty,
    account_id: UUID,
    signed: Signed,
    *,
    name: str,
    now: datetime,
) -> Passkey:
    """Keeps the public key. Raises: PasskeyRefused, PasskeyKnown."""
    challenge = await _take(session, Ceremony.REGISTER, signed.challenge_id, now=now)
    if challenge.account_id != account_id:
        raise PasskeyRefused
    try:
        verified = webauthn.verify_registration_response(
            credential=signed.credential,
            expected_challenge=challenge.challenge,
            expected_rp_id=us.id,
            expected_origin=us.origin,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise PasskeyRefused from error
    passkey = Passkey(
        account_id=account_id,
        credential_id=verified.credential_id,
        public_key=verified.credential_public_key,
        sign_count=verified.sign_count,
        name=name,
        is_backed_up=verified.credential_backed_up,
        created_at=now,
    )
    try:
        async with session.begin_nested():
            session.add(passkey)
    except IntegrityError as error:
        raise PasskeyKnown from error
    return passkey


async def begin_login(
    session: AsyncSession, us: RelyingParty, account_id: UUID | None, *, now: datetime
) -> Asked:
    """Asks for a signature: of any account's key, the authenticator tells which; or of one account's as a second factor."""
    known = await list_passkeys(session, account_id) if account_id else []
    options = webauthn.generate_authentication_options(
        rp_id=us.id,
        user_verification=UserVerificationRequirement.REQUIRED,
        allow_credentials=[PublicKeyCredentialDescriptor(id=one.credential_id) for one in known],
    )
    challenge = await _remember(session, Ceremony.LOG_IN, options.challenge, account_id, now)
    return Asked(challenge, options_to_json_dict(options))


async def finish_login(session: AsyncSession, us: RelyingParty, signed: Signed, *, now: datetime) -> Account:
    """Whose key has signed the challenge; the challenge is used up. Raises: PasskeyRefused."""
    challenge = await _take(session, Ceremony.LOG_IN, signed.challenge_id, now=now)
    passkey, shown_user = await _find(session, signed.credential)
    if passkey is None or challenge.account_id not in (None, passkey.account_id):
        raise PasskeyRefused
    if shown_user is not None and shown_user != passkey.account_id.bytes:
        raise PasskeyRefused
    try:
        # An authenticator that counts and has counted less than before is a copy: refused here as well (§7.2 step 21).
        verified = webauthn.verify_authentication_response(
            credential=signed.credential,
            expected_challenge=challenge.challenge,
            expected_rp_id=us.id,
            expected_origin=us.origin,
            credential_public_key=passkey.public_key,
            credential_current_sign_count=passkey.sign_count,
            require_user_verification=True,
        )
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise PasskeyRefused from error
    account = await session.get_one(Account, passkey.account_id)
    if not account.is_active:
        raise PasskeyRefused
    passkey.sign_count = verified.new_sign_count
    passkey.is_backed_up = verified.credential_backed_up
    passkey.last_used_at = now
    return account


async def _find(session: AsyncSession, credential: dict[str, Any]) -> tuple[Passkey | None, bytes | None]:
    """The key that a credential claims to be, and the user it names."""
    try:
        shown = parse_authentication_credential_json(credential)
        credential_id = base64url_to_bytes(shown.id)
    except (WebAuthnException, ValueError, KeyError, TypeError) as error:
        raise PasskeyRefused from error
    known = Passkey.credential_id == credential_id
    account_id = await session.scalar(select(Passkey.account_id).where(known))
    if account_id is not None:
        # Account first, as who takes the keys away does it: neither waits for the other for good, and a log-in is ended by it.
        await hold_account(session, account_id)
    found = await session.scalar(select(Passkey).where(known).with_for_update())
    return found, shown.response.user_handle


async def list_passkeys(session: AsyncSession, account_id: UUID) -> Sequence[Passkey]:
    """The keys of an account, the oldest first."""
    found = await session.scalars(
        select(Passkey).where(Passkey.account_id == account_id).order_by(Passkey.id)
    )
    return found.all()


async def has_passkeys(session: AsyncSession, account_id: UUID) -> bool:
    """Whether there is one to log in with."""
    count = select(func.count()).select_from(Passkey).where(Passkey.account_id == account_id)
    return bool(await session.scalar(count))


async def remove_passkey(session: AsyncSession, account_id: UUID, passkey_id: UUID) -> None:
    """Nobody enters with it any more. Raises: NoSuchPasskey."""
    gone = await session.execute(
        delete(Passkey)
        .where(Passkey.id == passkey_id, Passkey.account_id == account_id)
        .returning(Passkey.id)
    )
    if gone.first() is None:
        raise NoSuchPasskey


async def remove_all(session: AsyncSession, account_id: UUID) -> None:
    """Of an account that is closed."""
    await session.execute(delete(Passkey).where(Passkey.account_id == account_id))


async def _remember(
    session: AsyncSession, ceremony: Ceremony, challenge: bytes, account_id: UUID | None, now: datetime
) -> UUID:
    row = PasskeyChallenge(
        ceremony=ceremony, challenge=challenge, account_id=account_id, expires_at=now + CHALLENGE_LIFE
    )
    session.add(row)
    await session.flush()
    return row.id


async def _take(
    session: AsyncSession, ceremony: Ceremony, challenge_id: UUID, *, now: datetime
) -> PasskeyChallenge:
    """The challenge, which is gone with this transaction: two answers at once meet in its row. Raises: PasskeyRefused."""
    taken: PasskeyChallenge | None = await session.scalar(
        delete(PasskeyChallenge)
        .where(
            PasskeyChallenge.id == challenge_id,
            PasskeyChallenge.ceremony == ceremony,
            PasskeyChallenge.expires_at > now,
        )
        .returning(PasskeyChallenge)
    )
    if taken is None:
        raise PasskeyRefused
    return taken


async def prune_challenges(session: AsyncSession, *, now: datetime) -> None:
    """Forgets challenges that nobody answered."""
    await session.execute(delete(PasskeyChallenge).where(PasskeyChallenge.expires_at < now))
