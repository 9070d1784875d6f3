"""``Idempotency-Key``: the same request sent twice has one effect and one answer.

The answer is stored in the transaction of the effect (encrypted, for it may hold personal data): either both are there or
neither. Same key and payload → the same answer again; other payload → 422; still running → 409. Kept 24 hours.
"""

import hashlib
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import Depends, Header, Request, Response
from fastapi.routing import APIRoute
from sqlalchemy import BigInteger, bindparam, func, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from service_common.crypto import KeyRing
from service_common.db import Session
from service_common.errors import Conflict, Invalid
from service_common.tables import idempotency_keys

_COLUMN = "idempotency_keys.body"
_KEPT_HEADERS = ("content-type", "location", "etag")

# Made once: these two run for every request that acts. The lock comes with the first of them.
_mine = select(func.pg_try_advisory_xact_lock(bindparam("lock", type_=BigInteger)).label("locked")).subquery()
_CLAIM = select(_mine.c.locked, idempotency_keys).outerjoin_from(
    _mine,
    idempotency_keys,
    (idempotency_keys.c.subject_id == bindparam("subject_id")) & (idempotency_keys.c.key == bindparam("key")),
)
_KEEP = insert(idempotency_keys)


class KeyMissing(Invalid):
    """Requests that create or act must be repeatable."""

    code = "idempotency_key_required"
    zh = "缺少 Idempotency-Key 请求头：请为每次操作生成一个唯一值，重试时保持不变。"
    en = "The Idempotency-Key header is missing: make one value per action and keep it when retrying."


class KeyReused(Invalid):
    """The key belongs to another request."""

    code = "idempotency_key_reused"
    zh = "该 Idempotency-Key 已用于另一个请求。"
    en = "This Idempotency-Key was used for a different request."


class StillRunning(Conflict):
    """The first request with this key has not ended."""

    code = "request_in_progress"
    zh = "相同的请求正在处理中，请稍后重试。"
    en = "The same request is still being processed: retry later."


class StoredAnswer(Exception):
    """Not an error: the answer is known already and ends the request. Rendered by the application."""

    def __init__(self, status: int, headers: dict[str, str], body: bytes) -> None:
        super().__init__(status)
        self.status = status
        self.headers = headers
        self.body = body

    def response(self) -> Response:
        return Response(self.body, self.status, headers={**self.headers, "Idempotency-Replayed": "true"})


class _Claim:
    """The running request's hold on its key, redeemed when the answer is known."""

    def __init__(
        self, session: AsyncSession, ring: KeyRing, subject_id: str, key: str, fingerprint: bytes
    ) -> None:
        self._session = session
        self._ring = ring
        self._subject_id = subject_id
        self._key = key
        self._fingerprint = fingerprint

    async def take(self) -> None:
        """Raises: StillRunning, KeyReused, StoredAnswer."""
        lock = int.from_bytes(
            hashlib.sha256(f"{self._subject_id}\x00{self._key}".encode()).digest()[:8], "big", signed=True
        )
        mine = {"lock": lock, "subject_id": self._subject_id, "key": self._key}
        known = (await self._session.execute(_CLAIM, mine)).one()
        if not known.locked:
            raise StillRunning
        if known.key is None:
            return
        if known.fingerprint != self._fingerprint:
            raise KeyReused
        raise StoredAnswer(
            known.status, known.headers, self._ring.decrypt(known.body, column=_COLUMN).encode()
        )

    async def keep(self, response: Response) -> None:
        """Raises: StillRunning."""
        headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
        answer = {
            "subject_id": self._subject_id,
            "key": self._key,
            "fingerprint": self._fingerprint,
            "status": response.status_code,
            "headers": headers,
            "body": self._ring.encrypt(bytes(response.body).decode(), column=_COLUMN),
        }
        try:
            await self._session.execute(_KEEP, answer)
        except IntegrityError as error:
            # Else of rows of the route itself, written on the way.
            if "pk_idempotency_keys" not in str(error.orig):
                raise
            # The first request ended between our look and our lock: its effect stands, ours is rolled back.
            raise StillRunning from error


class IdempotentRoute(APIRoute):
    """Stores the answer of a claimed request before its transaction is committed."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def handle_and_keep(request: Request) -> Response:
            response = await handle(request)
            claim: _Claim | None = getattr(request.state, "idempotency_claim", None)
            if claim is not None and response.status_code < 400:
                await claim.keep(response)
            return response

        return handle_and_keep


async def _claim_key(
    request: Request,
    session: Session,
    idempotency_key: Annotated[
        str | None, Header(max_length=200, description="One value per action, kept when retrying.")
    ] = None,
) -> None:
    if not idempotency_key:
        raise KeyMissing
    caller = getattr(request.state, "caller", None)
    subject_id = _sender(caller)
    body = await request.body()
    payload = f"{request.method} {request.url.path}?{request.url.query}\n".encode() + body
    claim = _Claim(
        session, request.app.state.key_ring, subject_id, idempotency_key, hashlib.sha256(payload).digest()
    )
    await claim.take()
    request.state.idempotency_claim = claim


def _sender(caller: Any) -> str:
    """Whose key it is: an agent's are not those of the principal."""
    if caller is None:
        return "anonymous"
    own = f"{caller.subject_type}:{caller.subject_id}"
    return f"{own}:{caller.actor_id}" if caller.delegation else own


# Put it after the caller in a route's parameters: the key belongs to who sends it. The router must be made with
# `route_class=IdempotentRoute`; `service_common.app.api_router` does so.
Once = Annotated[None, Depends(_claim_key, scope="function")]
