"""Logging in: password, second factor, and the interaction that holds the steps together."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.accounts import handlers as accounts
from identity_service.accounts import passwords
from identity_service.accounts.domain import SubjectKind, WrongCredentials, same_password
from identity_service.accounts.models import Account
from identity_service.db import Transactions
from identity_service.inbox.domain import Template
from identity_service.inbox.handlers import Notice, tell
from identity_service.login.domain import InteractionGone
from identity_service.login.models import Interaction
from identity_service.passkeys import handlers as passkeys
from identity_service.passkeys.domain import PasskeyRefused
from identity_service.passkeys.handlers import Asked, RelyingParty, Signed
from identity_service.people.handlers import lookup
from identity_service.sessions import handlers as sessions
from identity_service.sessions.domain import Method, Origin, device_of, place_of
from identity_service.sessions.handlers import SessionLimits
from identity_service.settings import Settings
from service_common.clock import SHANGHAI
from service_common.contracts.identity import SessionEndReason
from service_common.crypto import KeyRing
from service_common.db import new_id

_PARAMETERS = "interactions.parameters"
Parameters = dict[str, str]


@dataclass(frozen=True, slots=True)
class Browser:
    """Who is at the other end: the hash of the browser's cookie, the session it shows, the address it comes from."""

    hash: bytes
    address: str
    session_secret: str | None = field(repr=False)
    user_agent: str = ""

    @property
    def origin(self) -> Origin:
        return Origin(device_of(self.user_agent), place_of(self.address))


@dataclass(frozen=True, slots=True)
class Credentials:
    """What was typed."""

    username: str = field(repr=False)
    password: str = field(repr=False)


def life_of(settings: Settings) -> timedelta:
    """How long an interaction may take."""
    return timedelta(minutes=settings.interaction_minutes)


async def begin_interaction(
    session: AsyncSession,
    ring: KeyRing,
    browser_hash: bytes,
    *,
    client_name: str | None,
    parameters: Parameters,
    life: timedelta,
    now: datetime,
) -> Interaction:
    """Remembers a client's request while its user logs in."""
    interaction = Interaction(
        browser_hash=browser_hash,
        client_name=client_name,
        parameters=ring.encrypt_json(parameters, column=_PARAMETERS),
        expires_at=now + life,
    )
    session.add(interaction)
    await session.flush()
    return interaction


async def find_interaction(
    session: AsyncSession,
    interaction_id: UUID,
    browser_hash: bytes,
    *,
    now: datetime,
    for_update: bool = False,
) -> Interaction:
    """The running interaction of this browser. Raises: InteractionGone."""
    interaction = await session.get(
        Interaction, interaction_id, with_for_update=for_update, populate_existing=True
    )
    if (
        interaction is None
        or interaction.browser_hash != browser_hash
        or interaction.finished_at is not None
        or interaction.expires_at <= now
    ):
        raise InteractionGone
    return interaction


def parameters_of(ring: KeyRing, interaction: Interaction) -> Parameters:
    """The client's request as it came; for who just wants to log in the page of ours to go on to."""
    opened: Parameters = ring.decrypt_json(interaction.parameters, column=_PARAMETERS)
    return opened


class Next(Enum):
    """What comes before somebody is in."""

    SECOND_FACTOR = "SECOND_FACTOR"
    NEW_PASSWORD = "NEW_PASSWORD"  # noqa: S105 - no password
    WRONG_CODE = "WRONG_CODE"
    ALL_ANEW = "ALL_ANEW"


@dataclass(frozen=True, slots=True)
class Entered:
    """Somebody is in: the secret of the session, for its cookie."""

    secret: str = field(repr=False)


async def log_in(
    transactions: Transactions,
    ring: KeyRing,
    browser: Browser,
    interaction_id: UUID,
    typed: Credentials,
    *,
    limits: SessionLimits,
    now: datetime,
) -> Entered | Next:
    """Checks a password. Staff show a second factor next.

    The hash is computed between two transactions. The time taken does not tell whether the account exists.
    Raises: InteractionGone, WrongCredentials, TooMany, HashingBusy.
    """
    with passwords.place() as kept:
        async with transactions() as session:
            await find_interaction(session, interaction_id, browser.hash, now=now)
            attempt = await accounts.begin_login(
                session,
                ring,
                account_id=await lookup.account_of_phone(session, ring, typed.username),
                username=typed.username,
                address=browser.address,
                browser_hash=browser.hash,
                now=now,
            )
        account = attempt.account
        usable = account.password_hash if account is not None and account.is_active else None
        if not await kept.fits(typed.password, usable) or account is None:
            raise WrongCredentials
        is_outdated = passwords.is_outdated(account.password_hash)
        new_hash = await kept.hash(typed.password) if is_outdated else None
    async with transactions() as session:
        interaction = await find_interaction(session, interaction_id, browser.hash, now=now, for_update=True)
        is_new_device = await accounts.finish_login(
            session, ring, attempt, browser_hash=browser.hash, now=now
        )
        if is_new_device and account.kind is SubjectKind.PERSON:
            await tell_of_new_device(session, account.id, browser.origin, now=now)
        if new_hash:
            await accounts.replace_hash(session, account.id, new_hash)
        if account.kind is SubjectKind.STAFF:
            _pend(interaction, account, methods=None)
            return Next.SECOND_FACTOR
        return await _enter(
            session, ring, browser, interaction, account, methods=[Method.PASSWORD], limits=limits, now=now
        )


def _pend(interaction: Interaction, account: Account, *, methods: Sequence[str] | None) -> None:
    """Remembers how far somebody is. What was remembered of somebody else goes with it, to the last."""
    interaction.pending_account_id = account.id
    interaction.pending_version = account.credentials_version
    interaction.pending_methods = list(methods) if methods is not None else None


def forget_pending(interaction: Interaction) -> None:
    """Nobody is half way in any longer."""
    interaction.pending_account_id = interaction.pending_version = interaction.pending_methods = None


async def _held_pending(session: AsyncSession, interaction: Interaction) -> Account | None:
    """Whose password was shown, held. None, and forgotten, when the credentials were replaced since, or the account closed."""
    assert interaction.pending_account_id is not None
    account = await accounts.hold_account(session, interaction.pending_account_id)
    if account.is_active and account.credentials_version == interaction.pending_version:
        return account
    forget_pending(interaction)
    return None


async def pass_second_factor(
    session: AsyncSession,
    ring: KeyRing,
    browser: Browser,
    interaction_id: UUID,
    code: str,
    *,
    limits: SessionLimits,
    now: datetime,
) -> Entered | Next:
    """Checks a one-time code after the password.

    A wrong code does not raise: its count must be committed.
    Raises: InteractionGone, TooMany.
    """
    interaction = await find_interaction(session, interaction_id, browser.hash, now=now, for_update=True)
    if interaction.pending_account_id is None or interaction.pending_methods is not None:
        raise InteractionGone
    account = await _held_pending(session, interaction)
    if account is None:
        return Next.ALL_ANEW
    if not await accounts.check_second_factor(session, ring, account.id, code, now=now):
        return Next.WRONG_CODE
    methods = [Method.PASSWORD, Method.ONE_TIME_CODE, Method.SEVERAL]
    return await _enter(session, ring, browser, interaction, account, methods=methods, limits=limits, now=now)


async def choose_password(
    transactions: Transactions,
    ring: KeyRing,
    browser: Browser,
    interaction_id: UUID,
    password: str,
    *,
    limits: SessionLimits,
    now: datetime,
) -> Entered | Next:
    """Replaces a password that was handed over, once every factor was shown: nobody else knows the new one.

    Raises: InteractionGone, PasswordUnsuitable.
    """
    async with transactions() as session:
        interaction = await find_interaction(session, interaction_id, browser.hash, now=now, for_update=True)
        if interaction.pending_methods is None:
            raise InteractionGone
        account = await _held_pending(session, interaction)
    if account is None:
        return Next.ALL_ANEW
    new_hash = await accounts.prepare_password(password, username=account.username)
    if await passwords.password_fits(password, account.password_hash):
        raise same_password()
    async with transactions() as session:
        interaction = await find_interaction(session, interaction_id, browser.hash, now=now, for_update=True)
        if interaction.pending_methods is None:
            raise InteractionGone
        account = await _held_pending(session, interaction)
        if account is None:
            return Next.ALL_ANEW
        methods = [Method(method) for method in interaction.pending_methods]
        await accounts.set_password(session, account.id, new_hash, now=now)
        return await _enter(
            session, ring, browser, interaction, account, methods=methods, limits=limits, now=now
        )


async def ask_for_passkey(
    session: AsyncSession, us: RelyingParty, browser: Browser, interaction_id: UUID, *, now: datetime
) -> Asked:
    """A challenge for this interaction: for any passkey at first, after a password for one of that account.

    Raises: InteractionGone.
    """
    interaction = await find_interaction(session, interaction_id, browser.hash, now=now)
    return await passkeys.begin_login(session, us, interaction.pending_account_id, now=now)


async def pass_passkey(
    session: AsyncSession,
    ring: KeyRing,
    browser: Browser,
    interaction_id: UUID,
    signed: Signed,
    *,
    us: RelyingParty,
    limits: SessionLimits,
    now: datetime,
) -> Entered | Next:
    """Logs in with a passkey alone, which is two factors in one (the device, and what unlocks it); staff, too.

    After a password it is the second factor. Raises: InteractionGone, PasskeyRefused.
    """
    interaction = await find_interaction(session, interaction_id, browser.hash, now=now, for_update=True)
    # Held before its passkey, as by who replaces its credentials.
    pending = await _held_pending(session, interaction) if interaction.pending_account_id else None
    account = await passkeys.finish_login(session, us, signed, now=now)
    methods = [Method.PASSKEY, Method.SEVERAL]
    if pending is not None:
        if pending.id != account.id:
            raise PasskeyRefused
        methods = [Method.PASSWORD, *methods]
    is_new_device = await accounts.remember_browser(session, account.id, browser.hash, now=now)
    if is_new_device and account.kind is SubjectKind.PERSON:
        await tell_of_new_device(session, account.id, browser.origin, now=now)
    return await _enter(session, ring, browser, interaction, account, methods=methods, limits=limits, now=now)


async def _enter(
    session: AsyncSession,
    ring: KeyRing,
    browser: Browser,
    interaction: Interaction,
    account: Account,
    *,
    methods: Sequence[Method],
    limits: SessionLimits,
    now: datetime,
) -> Entered | Next:
    """A fresh session with a fresh secret; whoever was logged in in this browser before is logged out.

    Nobody is let in with a password that somebody else has handed over.
    """
    if account.must_change_password:
        _pend(interaction, account, methods=[str(method) for method in methods])
        return Next.NEW_PASSWORD
    before = await sessions.find_session(session, ring, browser.session_secret, limits=limits, now=now)
    if before is not None and before.account_id == account.id:
        secret = sessions.authenticate_again(before, ring, methods=methods, now=now)
        login = before
    else:
        if before is not None:
            await sessions.end_session(session, before.id, reason=SessionEndReason.LOGOUT, now=now)
        login, secret = await sessions.start_session(
            session,
            ring,
            account_id=account.id,
            kind=account.kind,
            methods=methods,
            origin=browser.origin,
            now=now,
        )
    forget_pending(interaction)
    interaction.login_session_id = login.id
    return Entered(secret)


async def tell_of_new_device(
    session: AsyncSession, person_id: UUID, origin: Origin, *, now: datetime
) -> None:
    """The owner hears of every browser that is new to the account."""
    facts = {
        "device": origin.device,
        "place": origin.place,
        "at": now.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M"),
    }
    notice = Notice(new_id(), Template.NEW_DEVICE, "ACCOUNT", person_id, facts, now)
    await tell(session, [person_id], notice)


async def prune_interactions(session: AsyncSession, *, now: datetime) -> None:
    """Forgets log-ins that nobody can finish any more."""
    await session.execute(delete(Interaction).where(Interaction.expires_at < now))
