"""Signing keys: made, rotated while running, and kept at hand by every process."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, KeySet
from sqlalchemy import delete, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.db import Transactions
from identity_service.signing.domain import ALGORITHM, KeySpan, signing_kid
from identity_service.signing.models import SigningKey
from service_common.clock import utc_now
from service_common.crypto import KeyRing

_COLUMN = "signing_keys.private_jwk"
# Any constant: "one process makes the first key" within this database.
_FIRST_KEY_LOCK = 7_210_101
# How soon a running process sees a rotation; a new key is published long before it signs.
_LOOK_AGAIN_SECONDS = 30.0


@dataclass(frozen=True)
class SigningKeys:
    """The keys as one process knows them at a moment."""

    spans: Sequence[KeySpan]
    private: dict[str, ECKey]
    public: KeySet

    def sign(self, claims: dict[str, Any], *, kind: str, now: datetime) -> str:
        """A signed token; ``kind`` is its ``typ`` header, which keeps tokens of one use from passing as another."""
        kid = signing_kid(self.spans, now=now)
        assert kid is not None
        header = {"alg": ALGORITHM, "kid": kid, "typ": kind}
        return jwt.encode(header, claims, self.private[kid], algorithms=[ALGORITHM])

    def read(self, token: str, *, kind: str) -> dict[str, Any] | None:
        """The claims of a token that we have signed for this use, expired or not; None for any other text."""
        try:
            decoded = jwt.decode(token, self.public, algorithms=[ALGORITHM])
        except (JoseError, ValueError):
            return None
        if str(decoded.header.get("typ", "")).lower() != kind.lower():
            return None
        return dict(decoded.claims)

    def signing_key(self, *, now: datetime) -> ECKey:
        kid = signing_kid(self.spans, now=now)
        assert kid is not None
        return self.private[kid]


async def rotate_key(
    session: AsyncSession, ring: KeyRing, *, lead: timedelta, kept: timedelta, now: datetime
) -> str:
    """Makes the next key: published at once, signing after ``lead``; its predecessors are published for ``kept`` more.

    Returns its id. The first key ever signs at once.
    """
    await session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _FIRST_KEY_LOCK})
    is_first = await session.scalar(select(SigningKey.kid).limit(1)) is None
    signs_from = now if is_first else now + lead
    await session.execute(
        update(SigningKey)
        .where(SigningKey.published_until.is_(None))
        .values(published_until=signs_from + kept)
    )
    await session.execute(delete(SigningKey).where(SigningKey.published_until < now))
    key = ECKey.generate_key("P-256", {"use": "sig", "alg": ALGORITHM}, auto_kid=True)
    session.add(
        SigningKey(
            kid=str(key.kid),
            private_jwk=ring.encrypt_json(key.as_dict(private=True), column=_COLUMN),
            public_jwk=dict(key.as_dict(private=False)),
            signs_from=signs_from,
        )
    )
    await session.flush()
    return str(key.kid)


async def ensure_key(session: AsyncSession, ring: KeyRing, *, now: datetime) -> None:
    """Makes the first key when there is none. Safe to call from several processes at once."""
    await session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _FIRST_KEY_LOCK})
    if await session.scalar(select(SigningKey.kid).limit(1)) is None:
        await rotate_key(session, ring, lead=timedelta(), kept=timedelta(), now=now)


async def load_keys(session: AsyncSession, ring: KeyRing, *, now: datetime) -> SigningKeys:
    """Every key that is published now."""
    rows = (
        await session.scalars(
            select(SigningKey)
            .where(or_(SigningKey.published_until.is_(None), SigningKey.published_until > now))
            .order_by(SigningKey.signs_from)
        )
    ).all()
    private = {row.kid: ECKey.import_key(ring.decrypt_json(row.private_jwk, column=_COLUMN)) for row in rows}
    public = KeySet([ECKey.import_key(dict(row.public_jwk)) for row in rows])
    return SigningKeys([KeySpan(row.kid, row.signs_from) for row in rows], private, public)


class KeyStore:
    """The keys of one process, read again now and then: a rotation needs no restart."""

    def __init__(self, transactions: Transactions, ring: KeyRing) -> None:
        self._transactions = transactions
        self._ring = ring
        self._keys: SigningKeys | None = None
        self._read_at = float("-inf")
        self._lock = asyncio.Lock()

    async def current(self) -> SigningKeys:
        """The keys, at most half a minute old."""
        keys = self._keys
        if keys is not None and time.monotonic() - self._read_at < _LOOK_AGAIN_SECONDS:
            return keys
        async with self._lock:
            if self._keys is None or time.monotonic() - self._read_at >= _LOOK_AGAIN_SECONDS:
                self._keys = await self._read()
                self._read_at = time.monotonic()
            return self._keys

    async def _read(self) -> SigningKeys:
        now = utc_now()
        async with self._transactions() as session:
            keys = await load_keys(session, self._ring, now=now)
            if not keys.spans:
                await ensure_key(session, self._ring, now=now)
                keys = await load_keys(session, self._ring, now=now)
        return keys
