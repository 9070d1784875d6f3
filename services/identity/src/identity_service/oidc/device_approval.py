"""Letting a device in: what the person sees of it, and the decision (RFC 8628 §3.3, scan to log in 扫码登录)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.accounts.domain import SubjectKind
from identity_service.accounts.throttling import Bucket, admit, forgive, network_of
from identity_service.login.domain import ScanStatus
from identity_service.login.models import Interaction, Scan
from identity_service.login.scanning import address_of_scan, approve_scan, find_scan, was_let_in_by
from identity_service.oidc.authorization import remember_consent
from identity_service.oidc.clients import OAuthClient, find_client
from identity_service.oidc.device import address_of, hash_user_code
from identity_service.oidc.domain import (
    USER_CODES_OF_ADDRESS,
    USER_CODES_OF_SUBJECT,
    DeviceStatus,
    NoSuchDevice,
    NothingToAllow,
    Subject,
    normal_user_code,
)
from identity_service.oidc.models import DeviceAuthorization
from identity_service.oidc.provider import Work
from identity_service.oidc.subjects import grantable, load_subject
from identity_service.scopes import ScopeEntry
from identity_service.sessions import handlers as sessions
from identity_service.sessions.domain import LetInOnly, Method, Origin, place_of
from identity_service.sessions.models import Grant, LoginSession
from service_common.auth import Caller
from service_common.crypto import KeyRing

# As much of a client's name as a session keeps of the device it is on.
_LONGEST_DEVICE = 80


@dataclass(frozen=True, slots=True)
class Approver:
    """Who decides, as they logged in themselves."""

    subject_id: UUID
    kind: SubjectKind
    methods: Sequence[str]
    authenticated_at: datetime
    is_let_in: bool
    place: LoginSession | Grant


@dataclass(frozen=True, slots=True)
class Waiting:
    """A device that waits for a decision, and what it would get."""

    row: DeviceAuthorization
    client: OAuthClient
    subject: Subject
    scopes: tuple[ScopeEntry, ...]
    address: str

    browser: ClassVar[None] = None

    @property
    def client_name(self) -> str:
        return self.client.name

    @property
    def asked_at(self) -> datetime:
        return self.row.created_at


@dataclass(frozen=True, slots=True)
class WaitingBrowser:
    """A browser that waits to be logged in, on its way to an application or to none."""

    scan: Scan
    client_name: str | None
    address: str
    scopes: ClassVar[tuple[ScopeEntry, ...]] = ()

    @property
    def browser(self) -> str:
        return self.scan.device

    @property
    def asked_at(self) -> datetime:
        return self.scan.created_at


async def approver_of(work: Work, caller: Caller) -> Approver:
    """The person who holds the phone. Only the platform's own app may decide. Raises: NoSuchDevice."""
    client = await find_client(work.session, work.ring, work.services, work.catalogue, caller.client_id)
    grant = await sessions.find_grant(work.session, UUID(caller.session_id)) if caller.session_id else None
    if client is None or not client.is_first_party or grant is None or grant.ended_at is not None:
        raise NoSuchDevice
    login = await work.session.get_one(LoginSession, grant.login_session_id)
    return Approver(
        grant.subject_id, grant.kind, grant.methods, grant.authenticated_at, login.is_let_in, grant
    )


def _buckets(subject_id: UUID, address: str) -> list[Bucket]:
    return [
        Bucket(USER_CODES_OF_SUBJECT, str(subject_id)),
        Bucket(USER_CODES_OF_ADDRESS, network_of(address)),
    ]


async def admit_guess(
    session: AsyncSession, ring: KeyRing, *, subject_id: UUID, address: str, now: datetime
) -> None:
    """Counts a user code that somebody names, before it is looked at: in a transaction of its own. Raises: TooMany."""
    await admit(session, ring, _buckets(subject_id, address), now=now)


async def find_waiting(
    work: Work, approver: Approver, typed: str, *, address: str
) -> Waiting | WaitingBrowser:
    """What waits with a user code, locked. A right code takes back its attempt, and no more: else one could guess for ever.

    Raises: LetInOnly, NoSuchDevice for a code that is unknown, expired or decided about, NothingToAllow.
    """
    if approver.is_let_in:
        raise LetInOnly
    code = normal_user_code(typed)
    if code is None:
        raise NoSuchDevice
    subject = await load_subject(work.session, approver.kind, approver.subject_id, now=work.now)
    if subject is None:
        raise NoSuchDevice
    waiting = await _device(work, subject, code) or await _browser(work, code)
    if waiting is None:
        raise NoSuchDevice
    await _take_back_guess(work, approver, address)
    if isinstance(waiting, Waiting) and not waiting.scopes:
        raise NothingToAllow
    return waiting


async def _take_back_guess(work: Work, approver: Approver, address: str) -> None:
    guessed = _buckets(approver.subject_id, address)
    await forgive(work.session, work.ring, [], shared=guessed, at=work.now)


async def let_in(work: Work, approver: Approver, typed: str, *, address: str) -> None:
    """Lets in what waits with a user code. Harmless to repeat, for who has done it: a form sent twice, an answer that was lost.

    Raises: LetInOnly, NoSuchDevice, NothingToAllow.
    """
    try:
        waiting = await find_waiting(work, approver, typed, address=address)
    except NoSuchDevice:
        if not await _has_let_in(work, approver, typed):
            raise
        await _take_back_guess(work, approver, address)
        return
    await approve(work, approver, waiting)


async def _has_let_in(work: Work, approver: Approver, typed: str) -> bool:
    code = normal_user_code(typed)
    if code is None:
        return False
    device = (
        select(Grant.id)
        .join(DeviceAuthorization, DeviceAuthorization.grant_id == Grant.id)
        .where(
            DeviceAuthorization.user_code_hash == hash_user_code(work.ring, code),
            DeviceAuthorization.expires_at > work.now,
            Grant.subject_id == approver.subject_id,
        )
    )
    if await work.session.scalar(device) is not None:
        return True
    return await was_let_in_by(work.session, work.ring, code, approver.subject_id, now=work.now)


async def _device(work: Work, subject: Subject, code: str) -> Waiting | None:
    row = await work.session.scalar(
        select(DeviceAuthorization)
        .where(DeviceAuthorization.user_code_hash == hash_user_code(work.ring, code))
        .with_for_update()
    )
    if row is None or row.status is not DeviceStatus.PENDING or row.expires_at <= work.now:
        return None
    client = await find_client(work.session, work.ring, work.services, work.catalogue, row.client_id)
    if client is None:
        return None
    names = frozenset(row.scope.split()) & grantable(work.catalogue, client, subject) & client.scopes
    scopes = tuple(work.catalogue.entries[name] for name in sorted(names))
    return Waiting(row, client, subject, scopes, address_of(work.ring, row))


async def _browser(work: Work, code: str) -> WaitingBrowser | None:
    scan = await find_scan(work.session, work.ring, code, now=work.now)
    if scan is None:
        return None
    interaction = await work.session.get_one(Interaction, scan.interaction_id)
    return WaitingBrowser(scan, interaction.client_name, address_of_scan(work.ring, scan))


async def approve(work: Work, approver: Approver, waiting: Waiting | WaitingBrowser) -> None:
    """Lets the device or browser in, with a log-in session of its own: to end that one does not end the phone's.

    Raises: NoSuchDevice, for who was logged out meanwhile.
    """
    if not await sessions.hold_open(work.session, approver.place):
        raise NoSuchDevice
    if isinstance(waiting, WaitingBrowser):
        approve_scan(
            waiting.scan,
            approver.subject_id,
            methods=approver.methods,
            authenticated_at=approver.authenticated_at,
        )
        return
    names = [scope.name for scope in waiting.scopes]
    login, _unused = await sessions.start_session(
        work.session,
        work.ring,
        account_id=approver.subject_id,
        kind=approver.kind,
        methods=[Method(method) for method in approver.methods],
        origin=Origin(waiting.client.name[:_LONGEST_DEVICE], place_of(waiting.address)),
        authenticated_at=approver.authenticated_at,
        now=work.now,
    )
    grant = Grant(
        login_session_id=login.id,
        subject_id=approver.subject_id,
        kind=approver.kind,
        client_id=waiting.client.client_id,
        scope=" ".join(names),
        resource=waiting.row.resource,
        is_offline="offline_access" in names,
        methods=list(approver.methods),
        authenticated_at=approver.authenticated_at,
    )
    work.session.add(grant)
    await work.session.flush()
    waiting.row.status, waiting.row.grant_id = DeviceStatus.APPROVED, grant.id
    if not waiting.client.is_first_party:
        await remember_consent(work, approver.subject_id, waiting.client.client_id, names)


def deny(waiting: Waiting | WaitingBrowser) -> None:
    """Sends the device or browser away."""
    if isinstance(waiting, WaitingBrowser):
        waiting.scan.status = ScanStatus.DENIED
    else:
        waiting.row.status = DeviceStatus.DENIED
