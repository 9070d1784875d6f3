"""Scan to log in 扫码登录: a browser shows a code, somebody who is logged in elsewhere approves, the browser goes on logged in.

It is the device flow (RFC 8628) without a client: what the device code is there, the cookie of the browser and its running
interaction are here. The code is short-lived, decided about once, and used once; whoever relays it to somebody else gains no
more than with the code of a device, and the person who approves sees which browser asks, and from where.
"""

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.accounts import handlers as accounts
from identity_service.accounts.domain import SubjectKind
from identity_service.login.domain import (
    SCAN_LIFE,
    InteractionGone,
    ScanNotOffered,
    ScanStatus,
    asks_for_fresh_login,
    new_scan_code,
)
from identity_service.login.handlers import (
    Browser,
    find_interaction,
    forget_pending,
    parameters_of,
    tell_of_new_device,
)
from identity_service.login.models import Interaction, Scan
from identity_service.sessions import handlers as sessions
from identity_service.sessions.domain import Method
from identity_service.sessions.handlers import SessionLimits
from service_common.contracts.identity import SessionEndReason
from service_common.crypto import KeyRing

_ADDRESS = "scans.address"
_CODE = "scans.user_code"
_LET_IN = (ScanStatus.APPROVED, ScanStatus.USED)


@dataclass(frozen=True, slots=True)
class Shown:
    """What the page of the browser that waits says."""

    interaction: Interaction
    status: ScanStatus
    user_code: str


def hash_scan_code(ring: KeyRing, code: str) -> bytes:
    return ring.blind_index(code, column="scans.user_code_hash")


def address_of_scan(ring: KeyRing, scan: Scan) -> str:
    """The network address of the browser that asked."""
    return ring.decrypt(scan.address, column=_ADDRESS)


async def begin_scan(
    session: AsyncSession, ring: KeyRing, browser: Browser, interaction_id: UUID, *, now: datetime
) -> None:
    """A code for this interaction; one from before is worth nothing any longer.

    Raises: InteractionGone, ScanNotOffered where the application asks for a fresh log-in, which a scan is not.
    """
    interaction = await find_interaction(session, interaction_id, browser.hash, now=now, for_update=True)
    if asks_for_fresh_login(parameters_of(ring, interaction)):
        raise ScanNotOffered
    code = new_scan_code()
    await session.merge(
        Scan(
            interaction_id=interaction.id,
            user_code=ring.encrypt(code, column=_CODE),
            user_code_hash=hash_scan_code(ring, code),
            address=ring.encrypt(browser.address, column=_ADDRESS),
            device=browser.origin.device,
            status=ScanStatus.PENDING,
            account_id=None,
            methods=[],
            authenticated_at=None,
            created_at=now,
            expires_at=min(now + SCAN_LIFE, interaction.expires_at),
        )
    )


async def look_at_scan(
    session: AsyncSession, ring: KeyRing, browser: Browser, interaction_id: UUID, *, now: datetime
) -> Shown:
    """How far the code of this browser is. Raises: InteractionGone, also when none was asked for."""
    interaction = await find_interaction(session, interaction_id, browser.hash, now=now)
    scan = await session.get(Scan, interaction.id, populate_existing=True)
    if scan is None:
        raise InteractionGone
    status = ScanStatus.DENIED if scan.expires_at <= now else scan.status
    return Shown(interaction, status, ring.decrypt(scan.user_code, column=_CODE))


async def find_scan(session: AsyncSession, ring: KeyRing, code: str, *, now: datetime) -> Scan | None:
    """The browser that waits with this code, locked for a decision."""
    scan: Scan | None = await session.scalar(
        select(Scan).where(Scan.user_code_hash == hash_scan_code(ring, code)).with_for_update()
    )
    return scan if scan is not None and scan.status is ScanStatus.PENDING and scan.expires_at > now else None


def approve_scan(scan: Scan, account_id: UUID, *, methods: Sequence[str], authenticated_at: datetime) -> None:
    """Somebody lets the browser in as themselves, by the log-in that they have elsewhere."""
    scan.status = ScanStatus.APPROVED
    scan.account_id, scan.methods, scan.authenticated_at = account_id, list(methods), authenticated_at


async def enter_by_scan(
    session: AsyncSession,
    ring: KeyRing,
    browser: Browser,
    interaction_id: UUID,
    *,
    cookie: str,
    limits: SessionLimits,
    now: datetime,
) -> str | None:
    """Logs the browser in that was let in, once. Returns the secret of its session; none when it has one of this account.

    The secret is made of the code and the browser's ``cookie``: a browser that asks twice at once (a script and a page that
    loads itself, an answer that was lost) gets the one session by either answer, whichever it reads last.
    When somebody authenticated is told as it was: the log-in elsewhere. What asks for a fresh one is not satisfied by a scan.
    Raises: InteractionGone.
    """
    interaction = await find_interaction(session, interaction_id, browser.hash, now=now, for_update=True)
    scan = await session.get(Scan, interaction.id, with_for_update=True, populate_existing=True)
    if scan is None or scan.status not in _LET_IN or scan.expires_at <= now:
        raise InteractionGone
    secret = _session_secret(ring, scan, cookie)
    before = await sessions.find_session(session, ring, browser.session_secret, limits=limits, now=now)
    if scan.status is ScanStatus.USED:
        made = await sessions.find_session(session, ring, secret, limits=limits, now=now)
        if interaction.login_session_id not in {one.id for one in (before, made) if one is not None}:
            raise InteractionGone
        return secret if made is not None else None
    assert scan.account_id is not None
    scan.status = ScanStatus.USED
    account = await accounts.find_account(session, scan.account_id)
    if account is None or not account.is_active:
        raise InteractionGone
    # Who logs all others out, or has a new password, also means those whom they let in and who have not come yet.
    if not await sessions.nothing_ended(session, account.id, since=scan.created_at):
        raise InteractionGone
    if before is not None and before.account_id == account.id:
        interaction.login_session_id = before.id
        return None
    if before is not None:
        await sessions.end_session(session, before.id, reason=SessionEndReason.LOGOUT, now=now)
    is_new = await accounts.remember_browser(session, account.id, browser.hash, now=now)
    if is_new and account.kind is SubjectKind.PERSON:
        await tell_of_new_device(session, account.id, browser.origin, now=now)
    login, _ = await sessions.start_session(
        session,
        ring,
        account_id=account.id,
        kind=account.kind,
        methods=[Method(method) for method in scan.methods],
        origin=browser.origin,
        authenticated_at=scan.authenticated_at,
        secret=secret,
        now=now,
    )
    forget_pending(interaction)
    interaction.login_session_id = login.id
    return secret


def _session_secret(ring: KeyRing, scan: Scan, cookie: str) -> str:
    """The same for one code in one browser, and known to nobody who has not that browser's cookie."""
    made = ring.blind_index(f"{scan.user_code_hash.hex()}\x00{cookie}", column="scans.session_secret")
    return base64.urlsafe_b64encode(made).rstrip(b"=").decode()


async def was_let_in_by(
    session: AsyncSession, ring: KeyRing, code: str, account_id: UUID, *, now: datetime
) -> bool:
    """Whether this person has let in the browser that waits, or waited, with a code."""
    found = select(Scan.interaction_id).where(
        Scan.user_code_hash == hash_scan_code(ring, code),
        Scan.account_id == account_id,
        Scan.status.in_(_LET_IN),
        Scan.expires_at > now,
    )
    return await session.scalar(found) is not None
