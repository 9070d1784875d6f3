"""Signing keys: made, rotated while running, and kept at hand by every process."""

import asyncio
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, JWKRegistry, Key, KeyParameters, KeySet, OKPKey, RSAKey
from sqlalchemy import delete, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.db import Transactions
from identity_service.signing.domain import ALGORITHM, ID_TOKEN_ALGORITHMS, KeySpan, signing_kid
from identity_service.signing.models import SigningKey
from service_common.clock import utc_now
from service_common.crypto import KeyRing

_COLUMN = "signing_keys.private_jwk"
# Any constant: "one process makes the first key" within this database.
_FIRST_KEY_LOCK = 7_210_101
# How soon a running process sees a rotation; a new key is published long before it signs.
_LOOK_AGAIN_SECONDS = 30.0
_RSA_BITS = 2048


@dataclass(frozen=True)
class SigningKeys:
    """The keys as one process knows them at a moment."""

    spans: Sequence[KeySpan]
    private: dict[str, Key]
    public: KeySet

    def sign(self, claims: dict[str, Any], *, kind: str, now: datetime, algorithm: str = ALGORITHM) -> str:
        """A signed token; ``kind`` is its ``typ`` header, which keeps tokens of one use from passing as another."""
        kid = signing_kid(self.spans, now=now, algorithm=algorithm)
        assert kid is not None
        header = {"alg": algorithm, "kid": kid, "typ": kind}
        return jwt.encode(header, claims, self.private[kid], algorithms=[algorithm])

    def read(self, token: str, *, kind: str) -> dict[str, Any] | None:
        """The claims of a token that we have signed for this use, expired or not; None for any other text."""
        try:
            decoded = jwt.decode(token, self.public, algorithms=ID_TOKEN_ALGORITHMS)
        except (JoseError, ValueError):
            return None
        if str(decoded.header.get("typ", "")).lower() != kind.lower():
            return None
        return dict(decoded.claims)

    def signing_key(self, *, now: datetime, algorithm: str = ALGORITHM) -> Key:
        kid = signing_kid(self.spans, now=now, algorithm=algorithm)
        assert kid is not None
        return self.private[kid]


async def rotate_key(
    session: AsyncSession,
    ring: KeyRing,
    *,
    lead: timedelta,
    kept: timedelta,
    now: datetime,
    algorithm: str = ALGORITHM,
) -> str:
    """Makes the next key of its kind: published at once, signing after ``lead``; its predecessors are published for ``kept`` more.

    Returns its id. The first key ever signs at once.
    """
    await session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _FIRST_KEY_LOCK})
    of_its_kind = SigningKey.public_jwk["alg"].astext == algorithm
    is_first = await session.scalar(select(SigningKey.kid).where(of_its_kind).limit(1)) is None
    signs_from = now if is_first else now + lead
    await session.execute(
        update(SigningKey)
        .where(SigningKey.published_until.is_(None), of_its_kind)
        .values(published_until=signs_from + kept)
    )
    await session.execute(delete(SigningKey).where(SigningKey.published_until < now))
    key = _new_key(algorithm)
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


def _new_key(algorithm: str) -> Key:
    about: KeyParameters = {"use": "sig", "alg": algorithm}
    if algorithm == "RS256":
        return RSAKey.generate_key(_RSA_BITS, about, auto_kid=True)
    if algorithm == "EdDSA":
        return OKPKey.generate_key("Ed25519", about, auto_kid=True)
    return ECKey.generate_key("P-256", about, auto_kid=True)


async def ensure_keys(
    session: AsyncSession, ring: KeyRing, algorithms: Collection[str], *, now: datetime
) -> None:
    """Makes the first key of each kind that there is none of. Safe to call from several processes at once."""
    await session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _FIRST_KEY_LOCK})
    there = set(await session.scalars(select(SigningKey.public_jwk["alg"].astext)))
    for algorithm in sorted(set(algorithms) - there):
        await rotate_key(session, ring, lead=timedelta(), kept=timedelta(), now=now, algorithm=algorithm)


async def load_keys(session: AsyncSession, ring: KeyRing, *, now: datetime) -> SigningKeys:
    """Every key that is published now, but for kinds that a later version made: it may be rolled back to this one."""
    rows = (
        await session.scalars(
            select(SigningKey)
            .where(
                or_(SigningKey.published_until.is_(None), SigningKey.published_until > now),
                SigningKey.public_jwk["alg"].astext.in_(ID_TOKEN_ALGORITHMS),
            )
            .order_by(SigningKey.signs_from)
        )
    ).all()
    private = {
        row.kid: JWKRegistry.import_key(ring.decrypt_json(row.private_jwk, column=_COLUMN)) for row in rows
    }
    public = KeySet([JWKRegistry.import_key(dict(row.public_jwk)) for row in rows])
    spans = [KeySpan(row.kid, row.signs_from, row.public_jwk["alg"]) for row in rows]
    return SigningKeys(spans, private, public)


class KeyStore:
    """The keys of one process, read again now and then: a rotation needs no restart."""

    def __init__(self, transactions: Transactions, ring: KeyRing, *, further: Collection[str] = ()) -> None:
        """``further``: the algorithms that there is to be a key for besides the one that everything is signed with."""
        self._transactions = transactions
        self._ring = ring
        self._algorithms = {ALGORITHM, *further}
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
            if not self._algorithms <= {span.algorithm for span in keys.spans}:
                await ensure_keys(session, self._ring, self._algorithms, now=now)
                keys = await load_keys(session, self._ring, now=now)
        return keys
