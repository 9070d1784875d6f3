"""Proof of possession (RFC 9449): a token that only works together with a signature of the key it was given to.

JOSE is joserfc's; the rules on the claims are those of §4.3. A proof names one address and is good for a minute; it is
accepted once, by whichever instance of a service sees it first (``SeenProofs``).
"""

import base64
import hashlib
import hmac
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import unquote, urlsplit

from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key, RSAKey
from sqlalchemy import DateTime, LargeBinary, bindparam, delete, func, select
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from service_common.db import Database
from service_common.errors import Unauthenticated
from service_common.gathering import Gathered, first_of_each
from service_common.tables import seen_proofs
from service_common.tokens import InvalidToken

SCHEME = "DPoP"
HEADER = "DPoP"
PROVEN_AT = "X-Lianban-Proven-At"
"""Our gateway asks services in the caller's name, with the caller's proof: here it says for which of its own paths that was
made. From outside nobody can say so: the edge removes all headers of this family.
"""
_GATEWAY = "/gateway/"
ALGORITHMS = ["ES256", "Ed25519", "EdDSA", "PS256"]
"""With which proofs may be signed: those of FAPI 2.0. Named one by one, so `none` and shared keys are not among them."""


class _Registry(jws.JWSRegistry):
    """A proof carries its key in the header, and an RSA key is longer than the 512 bytes that joserfc allows by itself."""

    max_header_length = 2048


# Whatever else a client puts into its header is not for us (RFC 7515 §4), unless it stands in ``crit``.
_REGISTRY = _Registry(algorithms=ALGORITHMS, strict_check_header=False)

# Seconds. A client's clock may be behind by the first and ahead by the second.
_LONGEST_AGE = 60
_LARGEST_LEAD = 10
_LONGEST_PROOF = 4096
_LONGEST_JTI = 256
_LEAST_RSA_BITS = 2048
_DEFAULT_PORTS = {"http": 80, "https": 443}
_PRUNE_EVERY_SECONDS = 60.0


class InvalidProof(Unauthenticated):
    """Missing, malformed, for another request or token, out of its minute, or shown before."""

    code = "invalid_dpop_proof"
    zh = "持有证明（DPoP）无效，请重新生成后再试。"
    en = "The proof of possession (DPoP) is not valid for this request: make a new one."


class TokenIsBound(InvalidToken):
    """A bound token was sent as a bearer token (RFC 9449 §7.2)."""

    zh = "该登录凭证须与持有证明（DPoP）一起使用。"
    en = "This access token is bound to a key: send it with the scheme DPoP and a proof."


@dataclass(frozen=True, slots=True)
class Proof:
    """A verified proof. ``jkt`` is the thumbprint (RFC 7638) of the key that signed it."""

    jkt: str
    jti: str
    expires_at: datetime
    nonce: str | None = None


def read_proof(value: str, *, method: str, url: str, now: datetime, access_token: str | None = None) -> Proof:
    """Checks a proof against the request that it came with. Whether it was shown before is ``SeenProofs``' to say.

    ``url`` is the public address of the request. Raises: InvalidProof.
    """
    key, claims = _open(value)
    issued_at, jti, nonce = claims.get("iat"), claims.get("jti"), claims.get("nonce")
    if not isinstance(jti, str) or not 0 < len(jti) <= _LONGEST_JTI:
        raise InvalidProof
    if not isinstance(issued_at, int | float) or isinstance(issued_at, bool):
        raise InvalidProof
    # Compared, not subtracted: an integer of a thousand digits is valid JSON and no float.
    moment = now.timestamp()
    if not moment - _LONGEST_AGE <= issued_at <= moment + _LARGEST_LEAD or not _is_in_time(claims, moment):
        raise InvalidProof
    if claims.get("htm") != method or not _same_address(claims.get("htu"), url):
        raise InvalidProof
    if nonce is not None and not isinstance(nonce, str):
        raise InvalidProof
    if access_token is not None and not _is_of_token(claims.get("ath"), access_token):
        raise InvalidProof
    expires_at = datetime.fromtimestamp(issued_at + _LONGEST_AGE + 1, UTC)
    return Proof(key.thumbprint(), jti, expires_at, nonce)


def _is_in_time(claims: dict[str, Any], moment: float) -> bool:
    """A proof needs no ``nbf`` or ``exp``, but means them if it has them (RFC 7519 §4.1)."""
    begins, ends = claims.get("nbf", moment), claims.get("exp", moment)
    if not all(isinstance(one, int | float) and not isinstance(one, bool) for one in (begins, ends)):
        return False
    return bool(begins <= moment + _LARGEST_LEAD and ends >= moment - _LARGEST_LEAD)


def _open(value: str) -> tuple[Key, dict[str, Any]]:
    """The public key in the proof's header and the claims that it signed. Raises: InvalidProof."""
    if len(value) > _LONGEST_PROOF:
        raise InvalidProof
    try:
        header = jws.extract_compact(value.encode(), registry=_REGISTRY).headers()
        if header.get("typ") != "dpop+jwt" or header.get("alg") not in ALGORITHMS:
            raise InvalidProof
        key = JWKRegistry.import_key(header["jwk"])
        if key.key_type == "oct" or key.is_private or _is_weak(key):
            raise InvalidProof
        return key, dict(jwt.decode(value, key, registry=_REGISTRY).claims)
    except (JoseError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidProof from error


def _is_weak(key: Key) -> bool:
    return isinstance(key, RSAKey) and key.raw_value.key_size < _LEAST_RSA_BITS


def _is_of_token(claimed: object, access_token: str) -> bool:
    digest = hashlib.sha256(access_token.encode()).digest()
    expected = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return isinstance(claimed, str) and hmac.compare_digest(claimed.encode(), expected.encode())


def _same_address(claimed: object, url: str) -> bool:
    """Without query and fragment (§4.3), compared as RFC 3986 §6.2 normalises."""
    if not isinstance(claimed, str):
        return False
    try:
        return _normal(claimed) == _normal(url)
    except ValueError:
        return False


def _normal(url: str) -> tuple[str, str | None, int | None, str]:
    parts = urlsplit(url)
    port = parts.port or _DEFAULT_PORTS.get(parts.scheme)
    return parts.scheme, parts.hostname, port, unquote(parts.path) or "/"


def proven_path(path: str, proven_at: str | None) -> str:
    """For which path a request's proof has to be: its own, or that of the gateway which passes it on."""
    return proven_at if proven_at is not None and proven_at.startswith(_GATEWAY) else path


async def is_first_use(session: AsyncSession, proof: Proof) -> bool:
    """Remembers a proof; false when it is remembered already. Two at once meet in the primary key."""
    remembered = await _remember(session, [(_name_of(proof), proof.expires_at)])
    return bool(remembered)


def _name_of(proof: Proof, passed_on_to: str = "") -> bytes:
    """What a proof is remembered by. One that the gateway accepted is good once more for each path that it asks."""
    return hashlib.sha256(f"{proof.jkt}\x00{proof.jti}\x00{passed_on_to}".encode()).digest()


_SHOWN = (
    func.unnest(
        bindparam("names", type_=ARRAY(LargeBinary)), bindparam("ends", type_=ARRAY(DateTime(timezone=True)))
    )
    .table_valued("name", "ends")
    .render_derived()
)
_REMEMBER = (
    insert(seen_proofs)
    .from_select(["proof_hash", "expires_at"], select(_SHOWN.c.name, _SHOWN.c.ends))
    .on_conflict_do_nothing()
    .returning(seen_proofs.c.proof_hash)
)


async def _remember(
    database: AsyncConnection | AsyncSession, shown: Collection[tuple[bytes, datetime]]
) -> set[bytes]:
    """Which of these names were not remembered before. In one order for all, so that two instances never wait for each other."""
    names, ends = zip(*sorted(shown), strict=True)
    remembered = await database.execute(_REMEMBER, {"names": names, "ends": ends})
    return set(remembered.scalars())


class SeenProofs:
    """What all instances of one service have accepted, in its own database.

    A table and not the memory of a process: the balancer sends a replay to another instance, and a crash forgets nothing. Only
    requests with a bound token pay for it, those of a moment together: one statement and one commit.
    """

    def __init__(self, database: Database) -> None:
        self._statements = database.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._pruned_at = float("-inf")
        self._accepted = Gathered(self._remember_all)

    async def accept(self, proof: Proof, *, passed_on_to: str = "") -> None:
        """Apart from what the request does, so that a refused one uses its proof up too. Raises: InvalidProof."""
        if not await self._accepted((_name_of(proof, passed_on_to), proof.expires_at)):
            raise InvalidProof

    async def _remember_all(self, shown: Sequence[tuple[bytes, datetime]]) -> Sequence[bool]:
        async with self._statements.connect() as connection:
            fresh = await _remember(connection, shown)
            await self._forget_expired(connection)
        return first_of_each([name for name, _ in shown], fresh)

    async def _forget_expired(self, connection: AsyncConnection) -> None:
        """Now and then, by whoever comes by: no job of its own for a handful of rows."""
        if time.monotonic() - self._pruned_at < _PRUNE_EVERY_SECONDS:
            return
        self._pruned_at = time.monotonic()
        over = datetime.now(UTC) - timedelta(seconds=_LONGEST_AGE)
        await connection.execute(delete(seen_proofs).where(seen_proofs.c.expires_at < over))
