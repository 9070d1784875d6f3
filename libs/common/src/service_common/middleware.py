"""What surrounds every application: the request's name in its log, the API version on answers, a bound on the size of bodies."""

import re
from typing import Any

import structlog
from fastapi import Request
from starlette.exceptions import HTTPException

from service_common.openapi import API_VERSION
from service_common.problem import problem_response

_REQUEST_ID = re.compile(rb"[0-9A-Za-z-]{8,64}")


def request_id(request: Request) -> str | None:
    """The number that the edge gave a request, as it stands in the log."""
    given = request.headers.get("x-request-id", "").encode()
    return given.decode() if _REQUEST_ID.fullmatch(given) else None


class RequestId:
    """The edge's ``x-request-id`` on every log line of a request: what a person quotes leads to what happened."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            given = dict(scope["headers"]).get(b"x-request-id", b"")
            if _REQUEST_ID.fullmatch(given):
                structlog.contextvars.bind_contextvars(request_id=given.decode())
        await self._app(scope, receive, send)


class VersionHeader:
    """``API-Version`` on every answer."""

    def __init__(self, app: Any) -> None:
        self._app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        async def send_with_version(message: Any) -> None:
            if message["type"] == "http.response.start":
                message["headers"].append((b"api-version", API_VERSION.encode()))
            await send(message)

        await self._app(scope, receive, send_with_version if scope["type"] == "http" else send)


class BodyLimit:
    """Stops reading a body that is larger than any form: 413 before it fills the memory.

    ``larger`` are path prefixes with a limit of their own, ``exempt`` those whose routes count for themselves.
    """

    def __init__(
        self, app: Any, *, limit: int, exempt: tuple[str, ...], larger: tuple[tuple[str, int], ...] = ()
    ) -> None:
        self._app = app
        self._limit = limit
        self._exempt = exempt
        self._larger = larger

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or (self._exempt and scope["path"].startswith(self._exempt)):
            await self._app(scope, receive, send)
            return
        limit = next((most for prefix, most in self._larger if scope["path"].startswith(prefix)), self._limit)
        length = dict(scope["headers"]).get(b"content-length", b"0")
        if not length.isdigit() or int(length) > limit:
            await _refuse_body(scope, send)
            return
        read = 0

        async def receive_limited() -> Any:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > limit:
                raise HTTPException(413)
            return message

        await self._app(scope, receive_limited, send)


async def _refuse_body(scope: Any, send: Any) -> None:
    async def nothing() -> Any:
        return {"type": "http.disconnect"}

    response = problem_response(Request(scope), 413, code="content_too_large")
    await response(scope, nothing, send)
