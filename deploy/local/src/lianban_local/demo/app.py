"""A client application as a script: somebody signs in as with a browser, and every call is repeated as a real app would.

A call that creates or acts carries an ``Idempotency-Key`` that stays the same through all its repetitions, so that an answer
lost on the way never means a second effect.
"""

import asyncio
import base64
import hashlib
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from uuid import uuid4

import httpx
import pyotp

from lianban_local.runfile import Account, Client, RunFile

REDIRECT_URI = "http://127.0.0.1:53682/callback"
"""Of a native app: loopback, any port (RFC 8252 §7.3). Nobody needs to listen: the code is read from the redirect."""

# The whole patience of a call, and of a sign-in, in seconds: longer than any one part of the platform takes to come back.
_PATIENCE_SECONDS = 90.0
_RENEW_BEFORE_SECONDS = 30.0
_PASSING = frozenset({408, 429, 502, 503, 504})


class Refused(Exception):
    """The platform said no, and repeating the call would not change that."""

    def __init__(self, what: str, answer: httpx.Response) -> None:
        super().__init__(f"{what}: {answer.status_code} {answer.text[:600]}")
        self.answer = answer


class NotHeard(Exception):
    """No answer within all patience."""


def is_passing(answer: httpx.Response) -> bool:
    """Whether the same request may succeed later."""
    if answer.status_code == 409:
        return bool(
            answer.headers.get("content-type") == "application/problem+json"
            and answer.json().get("code") == "request_in_progress"
        )
    return answer.status_code in _PASSING


async def persist(send: Callable[[], Any], what: str, patience: float = _PATIENCE_SECONDS) -> httpx.Response:
    """Sends until something final is heard. Raises: NotHeard."""
    give_up = time.monotonic() + patience
    pause = 0.1
    heard = "nothing"
    while time.monotonic() < give_up:
        try:
            answer: httpx.Response = await send()
        except httpx.TransportError as error:
            heard = repr(error)
        else:
            if not is_passing(answer):
                return answer
            heard = f"{answer.status_code} {answer.text[:300]}"
            pause = max(pause, float(answer.headers.get("retry-after", 0)))
        await asyncio.sleep(min(pause, 5.0) * (0.75 + secrets.randbelow(50) / 100))
        pause = min(pause * 1.7, 3.0)
    raise NotHeard(f"{what}: heard only {heard}")


@dataclass
class SignedIn:
    """One account at one client. Tokens are renewed before they end."""

    run: RunFile
    account: Account
    client: Client
    http: httpx.AsyncClient
    scope: str
    _access_token: str = ""
    _refresh_token: str | None = None
    _ends_at: float = 0.0
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def token(self) -> str:
        async with self._lock:
            if time.time() > self._ends_at - _RENEW_BEFORE_SECONDS:
                await self._renew()
            return self._access_token

    async def call(
        self,
        method: str,
        path: str,
        *,
        json: Any = None,
        content: bytes | None = None,
        headers: dict[str, str] | None = None,
        key: str | None = None,
    ) -> httpx.Response:
        """One request to the platform, repeated until it is answered. Raises: Refused, NotHeard."""
        fixed = {"Idempotency-Key": key or str(uuid4()), **(headers or {})}
        if method in ("GET", "HEAD"):
            fixed.pop("Idempotency-Key")

        async def send() -> httpx.Response:
            sent = {**fixed, "Authorization": f"Bearer {await self.token()}"}
            return await self.http.request(
                method, f"{self.run.base_url}{path}", json=json, content=content, headers=sent
            )

        answer = await persist(send, f"{method} {path}")
        if answer.status_code == 401:  # the session ended, or identity has new keys: sign in once more
            self.forget()
            answer = await persist(send, f"{method} {path}")
        if answer.status_code >= 400:
            raise Refused(f"{method} {path}", answer)
        return answer

    def forget(self) -> None:
        """Sign in anew on the next call."""
        self._ends_at, self._refresh_token = 0.0, None

    async def get(self, path: str) -> Any:
        return (await self.call("GET", path)).json()

    async def post(self, path: str, body: Any = None, **more: Any) -> Any:
        answer = await self.call("POST", path, json=body, **more)
        return answer.json() if answer.content else None

    async def _renew(self) -> None:
        grant = await self._refreshed() or await self._signed_in_anew()
        self._access_token = grant["access_token"]
        self._refresh_token = grant.get("refresh_token")
        self._ends_at = time.time() + grant["expires_in"]

    async def _refreshed(self) -> dict[str, Any] | None:
        if self._refresh_token is None:
            return None
        form = {"grant_type": "refresh_token", "refresh_token": self._refresh_token}
        answer = await self._ask_for_token(form)
        return answer.json() if answer.status_code == 200 else None

    async def _signed_in_anew(self) -> dict[str, Any]:
        """A code is for one use: whatever is lost on the way, the whole dance begins again. Raises: Refused, NotHeard."""
        give_up = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                verifier = secrets.token_urlsafe(48)
                code = await self._code(verifier)
                form = {
                    "grant_type": "authorization_code",
                    "code": code,
                    "redirect_uri": REDIRECT_URI,
                    "code_verifier": verifier,
                }
                answer = await self._ask_for_token(form)
                if answer.status_code == 200:
                    grant: dict[str, Any] = answer.json()
                    return grant
                problem: Exception = Refused("token", answer)
            except (httpx.TransportError, Refused) as error:
                problem = error
            if time.monotonic() > give_up or _is_final(problem):
                raise problem
            await asyncio.sleep(1.0)

    async def _ask_for_token(self, form: dict[str, str]) -> httpx.Response:
        form = {**form, "client_id": self.client.client_id}
        if self.client.client_secret:
            form["client_secret"] = self.client.client_secret
        return await self.http.post(f"{self.run.issuer}/token", data=form)

    async def _code(self, verifier: str) -> str:
        """Walks the pages like a browser: the address, the form, the second factor, the consent."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        query = urlencode(
            {
                "response_type": "code",
                "client_id": self.client.client_id,
                "redirect_uri": REDIRECT_URI,
                "scope": self.scope,
                "state": secrets.token_urlsafe(8),
                "nonce": secrets.token_urlsafe(8),
                "code_challenge": challenge,
                "code_challenge_method": "S256",
            }
        )
        async with httpx.AsyncClient(base_url=self.run.base_url, timeout=self.http.timeout) as browser:
            answer = await _follow(browser, await browser.get(f"/identity/authorize?{query}"))
            for _ in range(4):
                if answer.status_code == 303:
                    return parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]
                if answer.status_code != 200:
                    break
                answer = await _follow(browser, await self._fill_in(browser, answer))
        raise Refused("sign-in", answer)

    async def _fill_in(self, browser: httpx.AsyncClient, page: httpx.Response) -> httpx.Response:
        form = dict(re.findall(r'type="hidden" name="([^"]+)" value="([^"]*)"', page.text))
        if "/identity/login/second-factor" in page.text:
            code = pyotp.TOTP(self.account.totp_secret or "").now()
            return await browser.post("/identity/login/second-factor", data={**form, "code": code})
        if "/identity/consent" in page.text:
            return await browser.post("/identity/consent", data={**form, "decision": "allow"})
        typed = {"username": self.account.username, "password": self.account.password}
        return await browser.post("/identity/login", data={**form, **typed})


def _is_final(problem: Exception) -> bool:
    """A wrong user name or password stays wrong. A second factor is right again with the next half minute's code."""
    return (
        isinstance(problem, Refused)
        and problem.answer.status_code in (400, 422)
        and problem.answer.request.url.path == "/identity/login"
    )


async def _follow(browser: httpx.AsyncClient, answer: httpx.Response) -> httpx.Response:
    """Redirects, while they stay at the provider."""
    while answer.status_code == 303 and answer.headers["location"].startswith("/"):
        answer = await browser.get(answer.headers["location"])
    return answer


class Machine(SignedIn):
    """A department's own system: acts as itself, by client_credentials."""

    async def _renew(self) -> None:
        form = {"grant_type": "client_credentials", "scope": self.client.scope}

        async def ask() -> httpx.Response:
            return await self._ask_for_token(form)

        answer = await persist(ask, "token")
        if answer.status_code != 200:
            raise Refused("token", answer)
        grant = answer.json()
        self._access_token, self._ends_at = grant["access_token"], time.time() + grant["expires_in"]


class App:
    """Everybody who takes part, at one platform."""

    def __init__(self, run: RunFile, http: httpx.AsyncClient) -> None:
        self.run = run
        self.http = http
        self._signed_in: dict[tuple[str, str], SignedIn] = {}

    def sign_in(self, account: Account, scope: str) -> SignedIn:
        """The account at the public app; signs in on the first call."""
        known = self._signed_in.get((account.username, scope))
        if known is None:
            client = next(
                one for one in self.run.clients if not one.client_secret and not one.private_key_file
            )
            known = SignedIn(self.run, account, client, self.http, scope)
            self._signed_in[account.username, scope] = known
        return known

    def machine(self, client_id: str) -> Machine:
        """A department's system. Raises: StopIteration when there is no such client."""
        client = next(one for one in self.run.clients if one.client_id == client_id)
        nobody = Account(role="clerk", username=client_id, password="")
        return Machine(self.run, nobody, client, self.http, client.scope)

    def account(self, role: str, department: str | None = None) -> Account:
        """A demo account. Raises: StopIteration when there is none."""
        return next(
            one
            for one in self.run.accounts
            if one.role == role and (department is None or one.department == department)
        )

    async def anonymous(self, method: str, path: str, body: Any = None) -> Any:
        """Without login. Raises: Refused, NotHeard."""

        async def send() -> httpx.Response:
            return await self.http.request(method, f"{self.run.base_url}{path}", json=body)

        answer = await persist(send, f"{method} {path}")
        if answer.status_code >= 400:
            raise Refused(f"{method} {path}", answer)
        return answer.json()
