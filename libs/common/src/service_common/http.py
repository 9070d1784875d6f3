"""Calls to other services: our own identity proven by ``private_key_jwt``, explicit timeouts, the trace passed on."""

import asyncio
import functools
import json
import ssl
import time
from pathlib import Path
from typing import Any

import httpx
import stamina
from joserfc import jwt
from joserfc.jwk import ECKey
from opentelemetry import propagate

from service_common.db import new_id
from service_common.errors import Unavailable

_TIMEOUT = httpx.Timeout(5.0, connect=2.0)
# Seconds before its end at which a token is replaced, so that none expires on its way.
_RENEW_BEFORE_SECONDS = 30
_ASSERTION_SECONDS = 60


class PeerUnavailable(Unavailable):
    """Another service does not answer, or answers that it cannot now."""

    code = "peer_unavailable"
    zh = "依赖的服务暂时不可用，请稍后重试。"
    en = "A service that is needed for this does not answer: retry later."


async def _inject_trace(request: httpx.Request) -> None:
    propagate.inject(request.headers)


@functools.cache
def _authorities() -> ssl.SSLContext:
    """Read once: each reading of the list takes 20 ms, and a process has several clients."""
    return httpx.create_ssl_context()


def plain_client() -> httpx.AsyncClient:
    """An HTTP client with our timeouts and the trace passed on, without any login."""
    return httpx.AsyncClient(
        verify=_authorities(),
        timeout=_TIMEOUT,
        event_hooks={"request": [_inject_trace]},
        limits=httpx.Limits(max_connections=50, max_keepalive_connections=20),
    )


class ServiceToken(httpx.Auth):
    """Adds an access token got by client_credentials with private_key_jwt (RFC 7523), cached until near its end."""

    def __init__(self, *, client_id: str, key_file: Path, issuer: str, token_url: str) -> None:
        self._client_id = client_id
        self._key = ECKey.import_key(json.loads(key_file.read_text()))
        self._issuer = issuer
        self._token_url = token_url
        self._token: str | None = None
        self._ends_at = 0.0
        self._lock = asyncio.Lock()

    async def async_auth_flow(self, request: httpx.Request) -> Any:
        async with self._lock:
            if self._token is None or time.time() > self._ends_at - _RENEW_BEFORE_SECONDS:
                answer = yield self._token_request()
                await answer.aread()
                if answer.status_code != 200:
                    raise PeerUnavailable
                grant = answer.json()
                self._token, self._ends_at = grant["access_token"], time.time() + grant["expires_in"]
            request.headers["Authorization"] = f"Bearer {self._token}"
        yield request

    def _token_request(self) -> httpx.Request:
        now = int(time.time())
        claims = {
            "iss": self._client_id,
            "sub": self._client_id,
            "aud": self._issuer,
            "jti": str(new_id()),
            "iat": now,
            "exp": now + _ASSERTION_SECONDS,
        }
        header = {"alg": "ES256", "kid": str(self._key.kid)}
        form = {
            "grant_type": "client_credentials",
            "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            "client_assertion": jwt.encode(header, claims, self._key),
        }
        return httpx.Request("POST", self._token_url, data=form)


class ServiceClient:
    """Calls one other service. A repeated call must be harmless: GET, PUT, or POST with an idempotency key."""

    def __init__(self, base_url: str, auth: httpx.Auth) -> None:
        self._http = httpx.AsyncClient(
            verify=_authorities(),
            base_url=base_url,
            auth=auth,
            timeout=_TIMEOUT,
            event_hooks={"request": [_inject_trace]},
        )

    async def call(
        self, method: str, path: str, *, json: Any = None, idempotency_key: str | None = None
    ) -> httpx.Response:
        """The answer, whatever below 500 it is; passing faults are tried three times. Raises: PeerUnavailable."""
        headers = {"Idempotency-Key": idempotency_key} if idempotency_key else {}
        try:
            async for attempt in stamina.retry_context(
                on=(httpx.TransportError, PeerUnavailable), attempts=3, timeout=10, wait_initial=0.1
            ):
                with attempt:
                    answer = await self._http.request(method, path, json=json, headers=headers)
                    if answer.status_code >= 500:
                        raise PeerUnavailable
        except httpx.TransportError as error:
            raise PeerUnavailable from error
        return answer

    async def close(self) -> None:
        await self._http.aclose()
