"""Tokens that are bound to a key (RFC 9449), from the token endpoint through the edge to a service and back."""

import base64
import hashlib
import time
from typing import Any
from uuid import uuid4

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from lianban_local.demo import applying
from lianban_local.demo.app import App, SignedIn

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack"), pytest.mark.timeout(420)]

HOME = "/gateway/v1/home"
KEY = ECKey.generate_key("P-256")


def prove(method: str, url: str, token: str | None = None) -> str:
    claims: dict[str, Any] = {"jti": str(uuid4()), "htm": method, "htu": url, "iat": int(time.time())}
    if token is not None:
        digest = hashlib.sha256(token.encode()).digest()
        claims["ath"] = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    header = {"alg": "ES256", "typ": "dpop+jwt", "jwk": KEY.as_dict(private=False)}
    return jwt.encode(header, claims, KEY)


class Bound(SignedIn):
    """An app that proves its key at the token endpoint."""

    async def _ask_for_token(self, form: dict[str, str]) -> httpx.Response:
        url = f"{self.run.issuer}/token"
        data = {**form, "client_id": self.client.client_id}
        return await self.http.post(url, data=data, headers={"DPoP": prove("POST", url)})


async def test_a_bound_token_passes_the_edge_with_its_proof_and_not_without(app: App) -> None:
    usual = app.sign_in(app.account("citizen"), applying.SCOPE)
    bound = Bound(app.run, usual.account, usual.client, app.http, applying.SCOPE)
    token = await bound.token()

    async def get(path: str, *, scheme: str = "DPoP", proof: str | None = None) -> httpx.Response:
        headers = {"Authorization": f"{scheme} {token}"} | ({"DPoP": proof} if proof else {})
        return await app.http.get(f"{app.run.base_url}{path}", headers=headers)

    home = await get(HOME, proof=prove("GET", f"{app.run.base_url}{HOME}", token))
    assert {name: part["status"] for name, part in home.json().items()} == dict.fromkeys(home.json(), "OK")
    forged = {"X-Lianban-Proven-At": HOME, "Authorization": f"DPoP {token}"}
    forged["DPoP"] = prove("GET", f"{app.run.base_url}{HOME}", token)
    outside = await app.http.get(f"{app.run.base_url}/identity/v1/me", headers=forged)
    assert outside.status_code == 401, "the edge lets nobody say what the gateway says"
    for path in ("/identity/v1/me", "/acceptance/v1/applications?limit=1", "/certificates/v1/licences"):
        url = f"{app.run.base_url}{path}"
        proof = prove("GET", url, token)
        assert (await get(path, proof=proof)).status_code == 200, path
        for refused in (
            await get(path, proof=proof),  # shown before
            await get(path),
            await get(path, scheme="Bearer", proof=prove("GET", url, token)),
            await get(path, proof=prove("POST", url, token)),
        ):
            assert refused.status_code == 401
            assert refused.headers["www-authenticate"].startswith("DPoP error=")
