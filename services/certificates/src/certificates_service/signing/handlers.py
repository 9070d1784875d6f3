"""Signing licences, checking their signatures, and the life of the keys."""

import asyncio
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from certificates_service.signing.domain import (
    Disclosure,
    NotALicenceDocument,
    all_signed,
    disclose,
    join,
    new_salt,
    payload_with,
    take_apart,
)
from certificates_service.signing.models import SigningKey
from service_common.crypto import KeyRing

ALGORITHM = "ES256"
_TYPE = "dc+sd-jwt"
_COLUMN = "signing_keys.private_jwk"
# Any constant: "one key is made at a time" within this service's own database.
_KEY_LOCK = 7_210_101


@dataclass(frozen=True, slots=True)
class Unsigned:
    """What a licence will say: claims for everybody, fields that can be shown one by one."""

    claims: dict[str, Any]
    fields: dict[str, str]


@dataclass(frozen=True, slots=True)
class Signed:
    """The document, and which key vouches for it."""

    document: str
    key_id: str


async def sign(
    session: AsyncSession, ring: KeyRing, contents: Sequence[Unsigned], *, now: datetime
) -> list[Signed]:
    """Signs with the current key, off the event loop: a batch is half a second of arithmetic."""
    row = await _current_key(session, ring, now=now)
    private = ECKey.import_key(ring.decrypt_json(row.private_jwk, column=_COLUMN))
    return await asyncio.to_thread(lambda: [_sign(one, private, row.kid) for one in contents])


def _sign(content: Unsigned, key: ECKey, key_id: str) -> Signed:
    disclosures = [disclose(name, value, salt=new_salt()) for name, value in content.fields.items()]
    payload = json.dumps(payload_with(content.claims, disclosures), ensure_ascii=False)
    header = {"alg": ALGORITHM, "kid": key_id, "typ": _TYPE}
    return Signed(join(jws.serialize_compact(header, payload, key), disclosures), key_id)


@dataclass(frozen=True, slots=True)
class Opened:
    """A document whose signature is ours."""

    claims: dict[str, Any]
    disclosures: tuple[Disclosure, ...]


async def open_document(session: AsyncSession, document: str) -> Opened | None:
    """The content if one of our keys signed all of it, else None. Raises: NotALicenceDocument."""
    parts = take_apart(document)
    try:
        header = jws.extract_compact(parts.jws.encode()).headers()
    except (JoseError, ValueError) as error:
        raise NotALicenceDocument from error
    row = await session.get(SigningKey, str(header.get("kid")))
    if row is None:
        return None
    try:
        verified = await asyncio.to_thread(
            jws.deserialize_compact, parts.jws, ECKey.import_key(row.public_jwk), algorithms=[ALGORITHM]
        )
        claims = json.loads(verified.payload)
    except (JoseError, ValueError):
        return None
    return Opened(claims, parts.disclosures) if all_signed(parts.disclosures, claims) else None


async def public_keys(session: AsyncSession) -> list[dict[str, Any]]:
    """Every key that ever signed or soon will, newest first (RFC 7517 §5)."""
    rows = await session.scalars(select(SigningKey).order_by(SigningKey.signs_from.desc()))
    return [row.public_jwk for row in rows]


async def rotate_key(
    session: AsyncSession, ring: KeyRing, *, now: datetime, overlap: timedelta
) -> SigningKey:
    """Publishes a new key at once and signs with it after ``overlap``: longer than anybody caches the key set.

    The old key stays published: licences signed with it live on.
    """
    return await _make_key(session, ring, now=now, signs_from=now + overlap)


async def _current_key(session: AsyncSession, ring: KeyRing, *, now: datetime) -> SigningKey:
    newest = (
        select(SigningKey).where(SigningKey.signs_from <= now).order_by(SigningKey.signs_from.desc()).limit(1)
    )
    row = await session.scalar(newest)
    if row is not None:
        return row
    await session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _KEY_LOCK})
    return await session.scalar(newest) or await _make_key(session, ring, now=now, signs_from=now)


async def _make_key(
    session: AsyncSession, ring: KeyRing, *, now: datetime, signs_from: datetime
) -> SigningKey:
    key = await asyncio.to_thread(
        ECKey.generate_key, "P-256", {"use": "sig", "alg": ALGORITHM}, private=True, auto_kid=True
    )
    row = SigningKey(
        kid=str(key.kid),
        public_jwk=dict(key.as_dict(private=False)),
        private_jwk=ring.encrypt_json(dict(key.as_dict(private=True)), column=_COLUMN),
        created_at=now,
        signs_from=signs_from,
    )
    session.add(row)
    await session.flush()
    return row
