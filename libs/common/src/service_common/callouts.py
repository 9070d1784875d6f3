"""Calls to addresses that somebody outside has named: one POST, bounded in time and size, to public addresses only.

No redirects, no proxies, no second attempts: when to try again is for the caller to decide and to write down.
"""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, timedelta
from email.utils import parsedate_to_datetime
from typing import Self

import httpcore

from service_common.clock import utc_now
from service_common.public_addresses import ForbiddenAddress, GuardedNetwork

TIMEOUT_SECONDS = 15.0
JSON = "application/json"
_READ_BYTES = 16 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """How a try ended: with an HTTP status, or with the name of what went wrong before one came."""

    status: int | None
    error: str | None = None
    retry_after: timedelta | None = None
    body: bytes = b""

    @property
    def accepted(self) -> bool:
        return self.status is not None and 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        """The receiver asks never to be called again."""
        return self.status == 410


class Sender:
    """Connections to receivers. httpcore follows no redirect and reads no proxy settings."""

    def __init__(
        self,
        *,
        loopback_allowed: bool,
        trusted: ssl.SSLContext | None = None,
        content_type: str = JSON,
        user_agent: str = "Lianban-Webhooks/1",
    ) -> None:
        self._always = {"content-type": content_type, "user-agent": user_agent}
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=trusted or ssl.create_default_context(),
            max_connections=100,
            # A fresh connection for each try: its address was checked now, and no idle one can be half closed.
            max_keepalive_connections=0,
            network_backend=GuardedNetwork(loopback_allowed=loopback_allowed),
        )

    async def __aenter__(self) -> Self:
        await self._pool.__aenter__()
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self._pool.aclose()

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Posts these bytes. Never raises for what the receiver does."""
        everything = {**headers, **self._always}
        try:
            async with (
                asyncio.timeout(TIMEOUT_SECONDS),
                self._pool.stream("POST", url, headers=list(everything.items()), content=body) as response,
            ):
                return Answer(
                    status=response.status,
                    retry_after=_retry_after(response.headers),
                    body=await _beginning(response),
                )
        except ForbiddenAddress:
            return Answer(None, "forbidden address")
        except TimeoutError:
            return Answer(None, "timeout")
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as error:
            return Answer(None, type(error).__name__)


async def _beginning(response: httpcore.Response) -> bytes:
    read = b""
    async for part in response.aiter_stream():
        read += part
        if len(read) >= _READ_BYTES:
            break
    return read[:_READ_BYTES]


def _retry_after(headers: list[tuple[bytes, bytes]]) -> timedelta | None:
    """Seconds or a date (RFC 9110 §10.2.3); nonsense is no wish."""
    value = next(
        (value.decode("latin-1").strip() for name, value in headers if name.lower() == b"retry-after"), ""
    )
    if value.isdecimal() and len(value) < 8:
        return timedelta(seconds=int(value))
    try:
        until = parsedate_to_datetime(value).astimezone(UTC)
    except (ValueError, OverflowError):  # no date, or one beyond the last year that there is
        return None
    return max(until - utc_now(), timedelta())
