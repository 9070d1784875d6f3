"""A client and the browser of its user, driven by script: what an application does to log somebody in."""

import asyncio
import base64
import hashlib
import json
import re
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pyotp
from services.identity.tests.factories import PASSWORD, Citizen, Officer, RegisteredClient

from identity_service.oidc.clients import _BELIEVED_SECONDS


async def what_was_believed_is_over() -> None:
    """What was read of a client is believed for less than a second: from then on every process has heard of a change."""
    assert _BELIEVED_SECONDS < 1
    await asyncio.sleep(_BELIEVED_SECONDS)


def new_verifier() -> str:
    return secrets.token_urlsafe(48)


def challenge_of(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def hidden(page: httpx.Response) -> dict[str, str]:
    """The hidden fields of the form on a page."""
    return dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page.text))


def query_of(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


@dataclass
class Application:
    """One client. ``browser`` keeps the cookies of its user."""

    browser: httpx.AsyncClient
    client: RegisteredClient
    redirect_uri: str
    verifier: str = field(default_factory=new_verifier)

    def request(self, scope: str | None = "openid", **changes: str | None) -> dict[str, str]:
        """The parameters of an authorization request."""
        asked: dict[str, str | None] = {
            "response_type": "code",
            "client_id": self.client.client_id,
            "redirect_uri": self.redirect_uri,
            "scope": scope,
            "state": "st-1",
            "nonce": "n-1",
            "code_challenge": challenge_of(self.verifier),
            "code_challenge_method": "S256",
            **changes,
        }
        return {name: value for name, value in asked.items() if value is not None}

    async def begin(self, scope: str = "openid", **changes: str | None) -> httpx.Response:
        """To the provider, and on to wherever it leads inside of it."""
        query = urlencode(self.request(scope, **changes))
        return await self.follow(await self.browser.get(f"/identity/authorize?{query}"))

    async def follow(self, answer: httpx.Response) -> httpx.Response:
        """Follows redirects while they stay at the provider."""
        while answer.status_code == 303 and answer.headers["location"].startswith("/"):
            answer = await self.browser.get(answer.headers["location"])
        return answer

    async def post(self, path: str, page: httpx.Response, **typed: str) -> httpx.Response:
        return await self.follow(await self.browser.post(path, data={**hidden(page), **typed}))

    async def log_in(self, who: Citizen | Officer, page: httpx.Response) -> httpx.Response:
        """Fills in the pages up to consent."""
        page = await self.post("/identity/login", page, username=who.username, password=PASSWORD)
        if isinstance(who, Officer):
            code = pyotp.TOTP(who.totp_secret).now()
            page = await self.post("/identity/login/second-factor", page, code=code)
        return page

    async def code(self, who: Citizen | Officer, scope: str = "openid", **changes: str | None) -> str:
        """Through all pages to a code."""
        page = await self.begin(scope, **changes)
        if page.status_code == 200 and "/identity/login" in page.text:
            page = await self.log_in(who, page)
        if page.status_code == 200 and "/identity/consent" in page.text:
            page = await self.post("/identity/consent", page, decision="allow")
        assert page.status_code == 303, page.text
        return query_of(page.headers["location"])["code"]

    async def exchange(self, code: str, **changes: str | None) -> httpx.Response:
        return await self.token(
            grant_type="authorization_code",
            code=code,
            redirect_uri=self.redirect_uri,
            code_verifier=self.verifier,
            **changes,
        )

    async def refresh(self, refresh_token: str, **changes: str | None) -> httpx.Response:
        return await self.token(grant_type="refresh_token", refresh_token=refresh_token, **changes)

    async def token(self, **form: str | None) -> httpx.Response:
        """A token request with the client's own authentication."""
        return await self.call("/identity/token", **form)

    async def push(self, scope: str | None = "openid", **changes: str | None) -> httpx.Response:
        """Hands in an authorization request (RFC 9126)."""
        return await self.call("/identity/par", **self.request(scope, **changes))

    async def call(self, path: str, **form: str | None) -> httpx.Response:
        """A request of the client itself, with its authentication."""
        sent = {name: value for name, value in form.items() if value is not None}
        auth = httpx.BasicAuth(self.client.client_id, self.client.secret) if self.client.secret else None
        if auth is None:
            sent.setdefault("client_id", self.client.client_id)
        return await self.browser.post(path, data=sent, auth=auth or httpx.USE_CLIENT_DEFAULT)

    async def tokens(self, who: Citizen | Officer, scope: str = "openid") -> dict[str, Any]:
        """Logged in, with everything that comes with it."""
        answer = await self.exchange(await self.code(who, scope))
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body


def claims_of(token: str) -> dict[str, Any]:
    """The claims of a JWT, unverified."""
    part = token.split(".")[1]
    body: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return body
