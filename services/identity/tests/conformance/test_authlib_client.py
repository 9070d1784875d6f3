"""Authlib's ``AsyncOAuth2Client`` completes every flow, configured from the discovery document alone."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from authlib.integrations.base_client import OAuthError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from services.identity.tests.conformance.conftest import Person
from services.identity.tests.factories import CALLBACK, PASSWORD, Population, RegisteredClient
from services.identity.tests.flows import new_verifier

from identity_service.relying_parties.domain import Authentication, GrantType

ALL = (GrantType.AUTHORIZATION_CODE, GrantType.REFRESH_TOKEN, GrantType.DEVICE_CODE)
SCOPE = "openid profile"


class Partner:
    """A partner's application around Authlib's client."""

    def __init__(self, library: Any, server: dict[str, Any]) -> None:
        self.library = library
        self.server = server

    async def code_flow(self, person: Person, *, pushed: bool) -> dict[str, Any]:
        """Logged in; the ID token is verified with the published keys."""
        verifier, nonce = new_verifier(), "n-0S6_WzA2Mj"
        endpoint = self.server["authorization_endpoint"]
        url, state = self.library.create_authorization_url(endpoint, code_verifier=verifier, nonce=nonce)
        if pushed:
            query = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
            if self.library.token_endpoint_auth_method == "client_secret_post":
                del query["client_id"]  # the library puts it into the form beside the secret
            answer = await self.post("pushed_authorization_request_endpoint", query)
            assert answer.status_code == 201, answer.text
            url = f"{endpoint}?client_id={self.library.client_id}&request_uri={answer.json()['request_uri']}"
        address = await person.log_in(url, PASSWORD)
        token: dict[str, Any] = await self.library.fetch_token(
            self.server["token_endpoint"], authorization_response=address, state=state, code_verifier=verifier
        )
        claims = await self.verified(token["id_token"])
        assert claims["nonce"] == nonce
        return token

    async def post(self, endpoint: str, form: dict[str, str]) -> Any:
        """An endpoint that Authlib's client has no method for, with the client's authentication."""
        auth = self.library.client_auth(self.library.token_endpoint_auth_method)
        return await self.library.request(
            "POST", self.server[endpoint], data=form, withhold_token=True, auth=auth
        )

    async def verified(self, id_token: str) -> dict[str, Any]:
        keys = KeySet.import_key_set((await self.library.get(self.server["jwks_uri"])).json())
        token = jwt.decode(id_token, keys, algorithms=self.server["id_token_signing_alg_values_supported"])
        registry = jwt.JWTClaimsRegistry(
            iss={"essential": True, "value": self.server["issuer"]},
            aud={"essential": True, "value": self.library.client_id},
            exp={"essential": True},
        )
        registry.validate(token.claims)
        return dict(token.claims)


async def connect(origin: str, client: RegisteredClient, method: str, secret: Any) -> Partner:
    """The client of a partner who has read the discovery document."""
    library = AsyncOAuth2Client(
        client.client_id,
        secret,
        token_endpoint_auth_method=method,
        revocation_endpoint_auth_method=method,
        scope=SCOPE,
        redirect_uri=CALLBACK,
        code_challenge_method="S256",
    )
    document = f"{origin}/identity/.well-known/openid-configuration"
    server = (await library.request("GET", document, withhold_token=True)).json()
    assert method in server["token_endpoint_auth_methods_supported"]
    if method == "private_key_jwt":
        library.register_client_auth_method(PrivateKeyJWT(server["token_endpoint"], alg="ES256"))
    return Partner(library, server)


async def partner(origin: str, population: Population, method: str) -> Partner:
    """A confidential client that proves itself by this method."""
    if method != "private_key_jwt":
        client = await population.client(grant_types=ALL)
        return await connect(origin, client, method, client.secret)
    key = ECKey.generate_key("P-256", {"alg": "ES256", "use": "sig"}, auto_kid=True)
    client = await population.client(
        authentication=Authentication.PRIVATE_KEY,
        grant_types=ALL,
        jwks={"keys": [key.as_dict(private=False)]},
    )
    return await connect(origin, client, method, key)


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "private_key_jwt"])
async def test_a_partner_completes_every_flow(
    origin: str, person: Person, population: Population, method: str
) -> None:
    app = await partner(origin, population, method)
    token = await app.code_flow(person, pushed=True)
    assert token["scope"] == SCOPE
    user = (await app.library.get(app.server["userinfo_endpoint"])).json()
    assert user["name"] == person.who.name
    assert user["sub"] == (await app.verified(token["id_token"]))["sub"] != str(person.who.id)

    next_token = await app.library.refresh_token(app.server["token_endpoint"])
    assert next_token["refresh_token"] != token["refresh_token"]
    known = await app.library.introspect_token(
        app.server["introspection_endpoint"], token=next_token["access_token"]
    )
    assert known.json()["active"] is True
    revoked = await app.library.revoke_token(
        app.server["revocation_endpoint"], token=next_token["refresh_token"]
    )
    assert revoked.status_code == 200, revoked.text
    with pytest.raises(OAuthError, match="invalid_grant"):
        await app.library.refresh_token(
            app.server["token_endpoint"], refresh_token=next_token["refresh_token"]
        )

    hint = f"{app.server['end_session_endpoint']}?id_token_hint={token['id_token']}&state=s7"
    back = await person.visit(f"{hint}&post_logout_redirect_uri=https://partner.example/bye")
    assert back == "https://partner.example/bye?state=s7"
    await app.library.aclose()


async def test_a_device_of_a_partner_is_let_in(origin: str, person: Person, population: Population) -> None:
    app = await partner(origin, population, "client_secret_basic")
    device = (await app.post("device_authorization_endpoint", {"scope": SCOPE})).json()
    poll = {"grant_type": str(GrantType.DEVICE_CODE), "device_code": device["device_code"]}
    with pytest.raises(OAuthError, match="authorization_pending"):
        await app.library.fetch_token(app.server["token_endpoint"], **poll)
    await person.let_in(device["verification_uri_complete"], PASSWORD)
    token = await app.library.fetch_token(app.server["token_endpoint"], **poll)
    assert (await app.verified(token["id_token"]))["aud"] == app.library.client_id
    await app.library.aclose()


async def test_a_public_app_needs_no_secret(origin: str, person: Person, population: Population) -> None:
    client = await population.client(
        authentication=Authentication.NONE, grant_types=ALL, scopes=["*"], first_party=True
    )
    app = await connect(origin, client, "none", None)
    token = await app.code_flow(person, pushed=False)
    assert (await app.verified(token["id_token"]))["sub"] == str(person.who.id)
    await app.library.aclose()
