"""Devices without a keyboard, or that one does not want to type on: they ask, somebody approves elsewhere (RFC 8628)."""

from datetime import datetime, timedelta
from typing import Any

from authlib.oauth2.rfc6749.errors import (
    AccessDeniedError,
    InvalidGrantError,
    InvalidScopeError,
    UnauthorizedClientError,
)
from authlib.oauth2.rfc8628 import DeviceAuthorizationEndpoint, DeviceCodeGrant
from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.util.concurrency import await_

from identity_service.oidc.client_authentication import METHODS
from identity_service.oidc.clients import OAuthClient
from identity_service.oidc.domain import DeviceStatus, Subject
from identity_service.oidc.issuing import first_refresh_token, issue
from identity_service.oidc.models import DeviceAuthorization
from identity_service.oidc.provider import Provider, ProviderRequest, Work
from identity_service.oidc.subjects import load_subject
from identity_service.relying_parties.domain import GrantType
from identity_service.sessions.models import Grant
from service_common.crypto import KeyRing

_ADDRESS = "device_authorizations.address"
# Polls that are on time must not be called too fast because the network was quicker this time.
_POLL_TOLERANCE = timedelta(seconds=1)
_SLOWER_BY_SECONDS = 5  # RFC 8628 §3.5
# A device that asks a little too late is told that its code has expired, not that there never was one.
_KEPT_AFTER_EXPIRY = timedelta(hours=1)


def hash_device_code(ring: KeyRing, code: str) -> bytes:
    return ring.blind_index(code, column="device_authorizations.device_hash")


def hash_user_code(ring: KeyRing, code: str) -> bytes:
    return ring.blind_index(code, column="device_authorizations.user_code_hash")


def address_of(ring: KeyRing, row: DeviceAuthorization) -> str:
    """The network address from which the device asked."""
    return ring.decrypt(row.address, column=_ADDRESS)


class DeviceEndpoint(DeviceAuthorizationEndpoint):  # type: ignore[misc]  # Authlib ships no types
    """A device asks to be let in. The client proves itself as at the token endpoint."""

    CLIENT_AUTH_METHODS = METHODS
    server: Provider

    def __init__(self, server: Provider, *, address: str) -> None:
        super().__init__(server)
        self._address = address
        self.EXPIRES_IN = server.work.settings.device_code_seconds

    def authenticate_client(self, request: ProviderRequest) -> OAuthClient:
        """Raises: InvalidClientError, UnauthorizedClientError, InvalidScopeError, InvalidTarget."""
        client: OAuthClient = super().authenticate_client(request)
        if not client.check_grant_type(GrantType.DEVICE_CODE):
            raise UnauthorizedClientError("The client is not registered for the device flow.")
        allowed = client.get_allowed_scope(request.payload.scope)
        if allowed is None:
            raise InvalidScopeError
        self.server.narrow(frozenset(allowed.split()), request.payload.resource)
        return client

    def get_verification_uri(self) -> str:
        return self.server.work.settings.device_page

    def generate_user_code(self) -> str:
        """Eight consonants: no words, no look-alikes, twenty-five thousand million of them (RFC 8628 §6.1)."""
        while True:
            code: str = super().generate_user_code()
            if not await_(self._is_taken(code)):
                return code

    async def _is_taken(self, code: str) -> bool:
        work = self.server.work
        known = select(DeviceAuthorization.device_hash).where(
            DeviceAuthorization.user_code_hash == hash_user_code(work.ring, code)
        )
        return await work.session.scalar(known) is not None

    def create_endpoint_response(self, request: ProviderRequest) -> Any:
        self._asked = request
        return super().create_endpoint_response(request)

    def save_device_credential(self, client_id: str, scope: str | None, data: dict[str, Any]) -> None:
        work = self.server.work
        work.session.add(
            DeviceAuthorization(
                device_hash=hash_device_code(work.ring, data["device_code"]),
                user_code_hash=hash_user_code(work.ring, data["user_code"]),
                client_id=client_id,
                scope=self._asked.client.get_allowed_scope(scope),
                resource=self._asked.payload.resource,
                address=work.ring.encrypt(self._address, column=_ADDRESS),
                interval_seconds=data["interval"],
                created_at=work.now,
                expires_at=work.now + timedelta(seconds=data["expires_in"]),
            )
        )
        await_(work.session.flush())


class DeviceInHand:
    """A device code with what was decided about it, in the words in which Authlib asks."""

    def __init__(
        self, row: DeviceAuthorization, grant: Grant | None, subject: Subject | None, now: datetime
    ) -> None:
        self.row = row
        self.grant = grant
        self.subject = subject
        self._now = now

    def get_client_id(self) -> str:
        return self.row.client_id

    def get_scope(self) -> str:
        return self.row.scope

    def get_user_code(self) -> None:
        """Not known any longer, and not needed: the decision stands in the same row."""

    def is_expired(self) -> bool:
        return self.row.expires_at <= self._now


class DeviceGrant(DeviceCodeGrant):  # type: ignore[misc]  # Authlib ships no types
    """A device asks whether it was let in. Two polls at once meet in the row's lock: tokens are given out once."""

    TOKEN_ENDPOINT_AUTH_METHODS = METHODS
    server: Provider
    request: ProviderRequest
    in_hand: DeviceInHand

    @property
    def work(self) -> Work:
        return self.server.work

    def authenticate_token_endpoint_client(self) -> OAuthClient:
        # Authlib remembers the client only after the code was found; ours is looked for among the client's own.
        client: OAuthClient = super().authenticate_token_endpoint_client()
        self.request.client = client
        return client

    def query_device_credential(self, device_code: str) -> DeviceInHand:
        self.in_hand = await_(self._find(device_code))
        return self.in_hand

    async def _find(self, device_code: str) -> DeviceInHand:
        """Raises: InvalidGrantError for a code that is unknown, used, or of another client."""
        work = self.work
        row = await work.session.scalar(
            select(DeviceAuthorization)
            .where(
                DeviceAuthorization.device_hash == hash_device_code(work.ring, device_code),
                DeviceAuthorization.client_id == self.request.client.client_id,
            )
            .with_for_update()
        )
        if row is None or row.status is DeviceStatus.USED:
            raise InvalidGrantError("The device_code is not valid.")
        if row.grant_id is None:
            return DeviceInHand(row, None, None, work.now)
        grant = await work.session.get_one(Grant, row.grant_id, with_for_update=True)
        if grant.ended_at is not None:
            raise InvalidGrantError("The device_code is not valid.")
        subject = await load_subject(work.session, grant.kind, grant.subject_id, now=work.now)
        return DeviceInHand(row, grant, subject, work.now)

    def query_user_grant(self, _user_code: None) -> tuple[Subject | None, bool] | None:
        """What was decided: nothing yet, or who, and whether. Raises: AccessDeniedError for who is no longer here."""
        if self.in_hand.row.status is DeviceStatus.PENDING:
            return None
        if self.in_hand.row.status is DeviceStatus.APPROVED and self.in_hand.subject is None:
            raise AccessDeniedError
        return self.in_hand.subject, self.in_hand.row.status is DeviceStatus.APPROVED

    def should_slow_down(self, credential: DeviceInHand) -> bool:
        """Whether it polls faster than it was told; then it must wait longer from now on (RFC 8628 §3.5)."""
        row, now = credential.row, self.work.now
        interval = timedelta(seconds=row.interval_seconds)
        too_fast = row.polled_at is not None and now - row.polled_at < interval - _POLL_TOLERANCE
        row.polled_at = now
        if too_fast:
            row.interval_seconds += _SLOWER_BY_SECONDS
        return too_fast

    def generate_token(self, *, include_refresh_token: bool, **_kwargs: Any) -> dict[str, Any]:
        grant, subject = self.in_hand.grant, self.in_hand.subject
        assert grant is not None
        assert subject is not None
        token = issue(self.server, self.request, grant, subject)
        if include_refresh_token:
            token["refresh_token"] = first_refresh_token(self.work, grant)
        self.in_hand.row.status = DeviceStatus.USED
        return token

    def save_token(self, token: dict[str, Any]) -> None:
        """Nothing: see CodeGrant."""


async def prune_devices(session: AsyncSession, *, now: datetime) -> None:
    """Forgets devices that nobody let in, and those that were."""
    await session.execute(
        delete(DeviceAuthorization).where(DeviceAuthorization.expires_at < now - _KEPT_AFTER_EXPIRY)
    )
