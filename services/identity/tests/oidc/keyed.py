"""A client that holds keys: it proves possession (RFC 9449), and authenticates with ``private_key_jwt`` when it has such a key."""

import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey
from services.identity.tests.conftest import ISSUER
from services.identity.tests.factories import Citizen
from services.identity.tests.flows import Application, query_of

from service_common.db import new_id

TOKEN_URL = f"{ISSUER}/token"
_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def prove(key: ECKey, *, method: str = "POST", url: str = TOKEN_URL, **claims: Any) -> str:
    """A proof for one request."""
    header = {"alg": "ES256", "typ": "dpop+jwt", "jwk": key.as_dict(private=False)}
    facts = {"jti": str(new_id()), "htm": method, "htu": url, "iat": int(time.time()), **claims}
    return jwt.encode(header, facts, key)


def assert_client(client_id: str, key: Any, algorithm: str = "ES256", **changes: Any) -> str:
    """A client assertion for our issuer."""
    now = int(time.time())
    claims = {"iss": client_id, "sub": client_id, "aud": ISSUER, "jti": str(new_id()), "exp": now + 60}
    return jwt.encode({"alg": algorithm}, {**claims, **changes}, key, algorithms=[algorithm])


@dataclass
class KeyedApplication(Application):
    """``key`` binds its tokens; ``client_key`` authenticates it. ``proofs`` false: it forgets to prove anything."""

    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256"))
    client_key: ECKey | OKPKey | RSAKey | None = None
    client_algorithm: str = "ES256"
    proofs: bool = True
    nonce: str | None = None
    assertion: dict[str, Any] = field(default_factory=dict)

    async def token(self, **form: str | None) -> httpx.Response:
        return await self.send("/identity/token", form, TOKEN_URL)

    async def push(self, scope: str | None = "openid", **changes: str | None) -> httpx.Response:
        """Hands an authorization request in (RFC 9126)."""
        asked: dict[str, str | None] = dict(self.request(scope or "openid", **changes))
        return await self.send("/identity/par", asked, f"{ISSUER}/par")

    async def send(self, path: str, form: dict[str, str | None], url: str) -> httpx.Response:
        sent = {name: value for name, value in form.items() if value is not None}
        sent["client_id"] = self.client.client_id
        if self.client_key is not None:
            signed = assert_client(
                self.client.client_id, self.client_key, self.client_algorithm, **self.assertion
            )
            sent |= {"client_assertion_type": _ASSERTION, "client_assertion": signed}
        nonce = {"nonce": self.nonce} if self.nonce else {}
        headers = {"DPoP": prove(self.key, url=url, **nonce)} if self.proofs else {}
        return await self.browser.post(path, data=sent, headers=headers)

    async def pushed_code(self, who: Citizen, scope: str = "openid", **changes: str | None) -> str:
        """Through a pushed request and all pages to a code."""
        pushed = await self.push(scope, **changes)
        assert pushed.status_code == 201, pushed.text
        asked = {"client_id": self.client.client_id, "request_uri": pushed.json()["request_uri"]}
        page = await self.follow(await self.browser.get(f"/identity/authorize?{urlencode(asked)}"))
        if page.status_code == 200 and "/identity/login" in page.text:
            page = await self.log_in(who, page)
        if page.status_code == 200 and "/identity/consent" in page.text:
            page = await self.post("/identity/consent", page, decision="allow")
        assert page.status_code == 303, page.text
        return query_of(page.headers["location"])["code"]
