"""What a department does for its own clients, and what an operator has to say to it: scopes, secrets, keys."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.relying_parties.domain import (
    ALL_SCOPES,
    LIVING_KEYS,
    Authentication,
    Environment,
    InvalidClientMetadata,
    LastKey,
    NoSuchSecret,
    UnknownScopes,
)
from identity_service.relying_parties.handlers import get_client, new_secret
from identity_service.relying_parties.key_sets import check_key_set
from identity_service.relying_parties.models import Client, ClientSecret
from service_common.auth import Caller
from service_common.crypto import KeyRing
from service_common.etag import check_version


async def ask_for_scopes(
    session: AsyncSession, caller: Caller, client_id: str, scopes: Collection[str], *, known: frozenset[str]
) -> Client:
    """A department asks for more. Raises: NoSuchClient, UnknownScopes."""
    client = await get_client(session, caller, client_id)
    _check_known(scopes, known)
    wanted = set(scopes) - set(client.scopes)
    if client.environment is Environment.SANDBOX:
        client.scopes = sorted({*client.scopes, *wanted})
    else:
        client.asked_scopes = sorted({*client.asked_scopes, *wanted})
    await session.flush()
    return client


async def grant_scopes(
    session: AsyncSession,
    caller: Caller,
    client_id: str,
    scopes: Collection[str],
    *,
    known: frozenset[str],
    expected_version: int,
) -> Client:
    """An operator says what a client may ask for from its next token on: no more, no less. What was asked is answered.

    Raises: NoSuchClient, UnknownScopes, Stale.
    """
    client = await get_client(session, caller, client_id)
    check_version(client.version, expected_version)
    _check_known(scopes, known | ({ALL_SCOPES} if client.is_first_party else frozenset()))
    client.scopes = sorted(set(scopes))
    client.asked_scopes = []
    await session.flush()
    return client


def _check_known(scopes: Collection[str], known: frozenset[str]) -> None:
    unknown = sorted(set(scopes) - known)
    if unknown:
        raise UnknownScopes(names="、".join(unknown))


async def add_secret(
    session: AsyncSession, ring: KeyRing, caller: Caller, client_id: str, *, now: datetime
) -> tuple[ClientSecret, str]:
    """A further secret: two work side by side, so that one can be replaced without an outage; a third retires the oldest.

    Raises: NoSuchClient, InvalidClientMetadata.
    """
    client = await get_client(session, caller, client_id, for_update=True)
    if client.authentication is not Authentication.SECRET:
        raise InvalidClientMetadata
    living = await _living_secrets(session, client, now)
    for old in living[: max(0, len(living) - LIVING_KEYS + 1)]:
        old.expires_at = now
    row, secret = new_secret(session, ring, client)
    await session.flush()
    return row, secret


async def list_secrets(
    session: AsyncSession, caller: Caller, client_id: str, *, now: datetime
) -> Sequence[ClientSecret]:
    """Those that work, the oldest first; never what they are. Raises: NoSuchClient."""
    return await _living_secrets(session, await get_client(session, caller, client_id), now)


async def retire_secret(
    session: AsyncSession, caller: Caller, client_id: str, secret_id: UUID, *, now: datetime
) -> None:
    """One stops working at once. Raises: NoSuchClient, NoSuchSecret, LastKey."""
    client = await get_client(session, caller, client_id, for_update=True)
    living = await _living_secrets(session, client, now)
    row = next((one for one in living if one.id == secret_id), None)
    if row is None:
        raise NoSuchSecret
    if len(living) == 1:
        raise LastKey
    row.expires_at = now


async def _living_secrets(session: AsyncSession, client: Client, now: datetime) -> Sequence[ClientSecret]:
    found = await session.scalars(
        select(ClientSecret)
        .where(
            ClientSecret.client_id == client.id,
            or_(ClientSecret.expires_at.is_(None), ClientSecret.expires_at > now),
        )
        .order_by(ClientSecret.id)
    )
    return found.all()


async def add_key(session: AsyncSession, caller: Caller, client_id: str, key: dict[str, Any]) -> Client:
    """A further public key, under a ``kid`` of its own; a third retires the oldest.

    Raises: NoSuchClient, InvalidClientMetadata.
    """
    client = await get_client(session, caller, client_id, for_update=True)
    if client.authentication is not Authentication.PRIVATE_KEY:
        raise InvalidClientMetadata
    problem = check_key_set({"keys": [key]})
    if problem:
        raise InvalidClientMetadata(fields=[problem])
    others = [one for one in _keys_of(client) if one.get("kid") != key.get("kid")]
    client.jwks = {"keys": [*others, key][-LIVING_KEYS:]}
    await session.flush()
    return client


async def retire_key(session: AsyncSession, caller: Caller, client_id: str, kid: str) -> Client:
    """A public key stops working at once. Raises: NoSuchClient, NoSuchSecret, LastKey."""
    client = await get_client(session, caller, client_id, for_update=True)
    left = [one for one in _keys_of(client) if one.get("kid") != kid]
    if len(left) == len(_keys_of(client)):
        raise NoSuchSecret
    if not left:
        raise LastKey
    client.jwks = {"keys": left}
    await session.flush()
    return client


def _keys_of(client: Client) -> list[dict[str, Any]]:
    keys: list[dict[str, Any]] = (client.jwks or {}).get("keys", [])
    return keys
