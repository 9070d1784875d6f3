"""What the tests of all services share: a pool that outlives one test, and the issuer whose tokens a service believes."""

import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from service_common.db import Database

_LIFE_SECONDS = 300


class LentDatabase(Database):
    """A pool that the next test uses, too. With an engine of its own each test would compile every statement again."""

    async def close(self) -> None:
        """Nothing: whoever opened it closes it."""


@asynccontextmanager
async def one_life(application: FastAPI, database: Database) -> AsyncIterator[None]:
    """Starts an application that was built once, on a pool that is lent, and stops it.

    What a test sets on its state or overrides, the next does not find.
    """
    state = dict(application.state._state)  # noqa: SLF001 - Starlette has no other way to everything
    try:
        async with AsyncExitStack() as life:
            with pytest.MonkeyPatch.context() as start:
                start.setattr(Database, "connect", lambda _settings: database)
                await life.enter_async_context(application.router.lifespan_context(application))
            yield
    finally:
        application.state._state = state  # noqa: SLF001
        application.dependency_overrides = {}


class TestIssuer:
    """Identity as far as another service sees it: it signs access tokens, and publishes its key."""

    __test__ = False

    url = "http://localhost/identity"

    def __init__(self) -> None:
        self.key = ECKey.generate_key("P-256", parameters={"kid": "k1", "alg": "ES256", "use": "sig"})

    @property
    def jwks(self) -> dict[str, Any]:
        """What stands at ``/identity/jwks``."""
        return dict(KeySet([self.key]).as_dict(private=False))

    def token(self, service: str, **claims: Any) -> str:
        """An access token for this service, of a person who has just logged in unless ``claims`` say otherwise; None leaves one out."""
        now = int(time.time())
        payload = {
            "iss": self.url,
            "aud": [f"urn:lianban:{service}"],
            "sub": "00000000-0000-7000-8000-000000000001",
            "subject_type": "person",
            "client_id": "app",
            "exp": now + _LIFE_SECONDS,
            "iat": now,
            "auth_time": now,
            **claims,
        }
        said = {name: value for name, value in payload.items() if value is not None}
        return jwt.encode({"alg": "ES256", "kid": self.key.kid, "typ": "at+jwt"}, said, self.key)

    def http(self) -> httpx.AsyncClient:
        """A client for which every address is that of the key."""
        return httpx.AsyncClient(transport=httpx.MockTransport(lambda _: httpx.Response(200, json=self.jwks)))

    def be_believed(self, app: FastAPI) -> None:
        """Has the running application fetch its keys from here."""
        app.state.token_verifier._keys._http = self.http()  # noqa: SLF001 - in the place of identity's address
