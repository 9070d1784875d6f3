"""What the Basic OP, Config OP and logout certification plans of the OpenID Foundation ask and no other test does.

docs/identity-conformance.md says which test answers which of their modules.
"""

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet
from services.identity.tests.conftest import ISSUER, Clock
from services.identity.tests.factories import CALLBACK, Population
from services.identity.tests.flows import Application, claims_of, query_of

from identity_service.db import Transactions
from identity_service.signing.domain import ID_TOKEN_ALGORITHMS
from identity_service.signing.handlers import KeyStore
from service_common.crypto import KeyRing

STATE = "s" * 128


async def told(app: Application, **changes: str | None) -> dict[str, str]:
    """What a request brings back to the client without any page."""
    answer = await app.begin(**changes)  # type: ignore[arg-type]  # scope is one of them
    assert answer.status_code == 303, answer.text
    return query_of(answer.headers["location"])


async def identity(app: Application, code: str) -> dict[str, Any]:
    """The claims of the ID token for a code."""
    answer = await app.exchange(code)
    assert answer.status_code == 200, answer.text
    return claims_of(answer.json()["id_token"])


async def test_the_id_token_says_what_core_2_asks(partner: Application, population: Population) -> None:
    answer = await partner.exchange(await partner.code(await population.person()))
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"].startswith("application/json")
    token = answer.json()["id_token"]
    keys = (await partner.browser.get("/identity/jwks")).json()["keys"]
    header = json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))
    [key] = [one for one in keys if one["kid"] == header["kid"]]
    claims = jwt.decode(token, KeySet.import_key_set({"keys": [key]}), algorithms=[key["alg"]]).claims
    assert claims["iss"] == ISSUER
    assert claims["aud"] == partner.client.client_id
    assert claims["iat"] <= claims["exp"]
    assert {"sub", "auth_time", "nonce", "acr", "amr", "at_hash", "sid"} <= set(claims)
    assert isinstance(claims["auth_time"], int)


HARMLESS: list[dict[str, str]] = [
    {"display": "page"},
    {"display": "popup"},
    {"extra": "foobar"},
    {"login_hint": "buffy@issuer.example"},
    {"ui_locales": "se"},
    {"claims_locales": "se"},
    {"max_age": "10000"},
    {"acr_values": "urn:lianban:loa:1 urn:lianban:loa:2 urn:lianban:loa:3 urn:lianban:loa:4"},
    {"id_token_hint": ""},
]


async def test_parameters_that_need_not_be_honoured_do_no_harm(
    partner: Application, population: Population
) -> None:
    person = await population.person()
    await partner.code(person)
    for changes in HARMLESS:
        back = await told(partner, prompt="none", **changes)
        assert "code" in back, (changes, back)


async def test_who_is_logged_in_comes_back_the_same_without_a_page(
    partner: Application, population: Population, clock: Clock
) -> None:
    first = await identity(partner, await partner.code(await population.person(), max_age="15000"))
    clock.pass_(seconds=30)
    for changes in ({"prompt": "none"}, {"max_age": "10000"}, {"nonce": None}, {"scope": "profile openid"}):
        page = await partner.begin(**changes)
        if "/identity/consent" in page.text:
            page = await partner.post("/identity/consent", page, decision="allow")
        again = await identity(partner, query_of(page.headers["location"])["code"])
        assert (again["sub"], again["auth_time"]) == (first["sub"], first["auth_time"])
        assert again.get("nonce") == changes.get("nonce", "n-1")


async def test_a_request_by_post_is_one_by_get(partner: Application, population: Population) -> None:
    page = await partner.follow(await partner.browser.post("/identity/authorize", data=partner.request()))
    page = await partner.log_in(await population.person(), page)
    answer = await partner.post("/identity/consent", page, decision="allow")
    assert "code" in query_of(answer.headers["location"])


async def test_a_code_that_comes_again_after_thirty_seconds_ends_what_it_gave(
    partner: Application, population: Population, clock: Clock
) -> None:
    code = await partner.code(await population.person())
    given = (await partner.exchange(code)).json()
    headers = {"Authorization": f"Bearer {given['access_token']}"}
    assert (await partner.browser.get("/identity/userinfo", headers=headers)).status_code == 200
    clock.pass_(seconds=30)
    again = await partner.exchange(code)
    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert (await partner.browser.get("/identity/userinfo", headers=headers)).status_code == 401


async def test_a_redirect_address_with_a_query_keeps_it(
    client: httpx.AsyncClient, population: Population
) -> None:
    address = f"{CALLBACK}?dummy1=lorem&dummy2=ipsum"
    app = Application(client, await population.client(redirect_uris=[address]), address)
    page = await app.log_in(await population.person(), await app.begin())
    back = query_of((await app.post("/identity/consent", page, decision="allow")).headers["location"])
    assert (back["dummy1"], back["dummy2"], back["state"]) == ("lorem", "ipsum", "st-1")
    for other in (CALLBACK, f"{address}&foo=bar", f"{CALLBACK}?dummy2=ipsum&dummy1=lorem"):
        assert (await app.begin(redirect_uri=other)).status_code == 400


async def test_a_hint_names_the_only_person_who_will_do(partner: Application, population: Population) -> None:
    first, second = await population.person(0), await population.person(1)
    hint = (await partner.tokens(first))["id_token"]
    assert "code" in await told(partner, prompt="none", id_token_hint=hint)
    page = await partner.begin(prompt="login")
    await partner.post("/identity/consent", await partner.log_in(second, page), decision="allow")
    back = await told(partner, prompt="none", id_token_hint=hint, state=STATE)
    assert (back["error"], back["state"]) == ("login_required", STATE)
    page = await partner.begin(id_token_hint=hint)  # whoever is logged in may let the other come
    back = query_of((await partner.log_in(second, page)).headers["location"])
    assert back["error"] == "login_required"
    page = await partner.begin(id_token_hint=hint)
    assert "code" in query_of((await partner.log_in(first, page)).headers["location"])


async def test_a_hint_that_is_no_id_token_of_this_client_is_an_error(
    partner: Application, mobile: Application, population: Population
) -> None:
    tokens = await mobile.tokens(await population.person())
    for hint in ("garbage", tokens["id_token"], tokens["access_token"]):
        assert (await told(partner, prompt="none", id_token_hint=hint))["error"] == "invalid_request"
        pushed = await partner.push(id_token_hint=hint)
        assert (pushed.status_code, pushed.json()["error"]) == (400, "invalid_request")


def wanting(*levels: str, essential: bool = True) -> str:
    return json.dumps({"id_token": {"acr": {"essential": essential, "values": levels}}})


async def test_an_essential_level_is_reached_named_as_it_was_asked_or_refused(
    mobile: Application, population: Population
) -> None:
    one, two, four = (f"urn:lianban:loa:{level}" for level in (1, 2, 4))
    code = await mobile.code(await population.person())
    assert (await identity(mobile, code))["acr"] == two
    for asked, said in (((one,), one), ((one, two), two), ((four, two), two), ((one, four), one)):
        back = await told(mobile, prompt="none", claims=wanting(*asked))
        assert (await identity(mobile, back["code"]))["acr"] == said
    refused = await told(mobile, prompt="none", claims=wanting(four))
    assert refused["error"] == "unmet_authentication_requirements"
    assert "code" in await told(mobile, prompt="none", claims=wanting(four, essential=False))
    assert "/identity/verification" in (await mobile.begin(claims=wanting("urn:lianban:loa:3"))).text


NOT_OFFERED: list[tuple[dict[str, str], str]] = [
    ({"registration": "{}"}, "registration_not_supported"),
    ({"prompt": "create"}, "invalid_request"),
    ({"prompt": "login create"}, "invalid_request"),
    ({"claims": '{"id_token":{"acr":{"essential":true,"value":2}}}'}, "invalid_request"),
]


async def test_what_is_not_offered_is_refused_by_name(partner: Application) -> None:
    for changes, error in NOT_OFFERED:
        back = await told(partner, state=STATE, **changes)
        assert (back["error"], back["state"], back["iss"]) == (error, STATE, ISSUER), changes


@pytest.mark.parametrize("beside", [{"client_id": "lianban-app"}, {"client_secret": "beside"}])
async def test_a_client_that_shows_a_secret_shows_it_once_and_is_itself(
    partner: Application, beside: dict[str, str]
) -> None:
    answer = await partner.token(grant_type="refresh_token", refresh_token="x", **beside)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request")


async def test_the_metadata_name_what_is_there(client: httpx.AsyncClient) -> None:
    answer = await client.get("/identity/.well-known/openid-configuration")
    told = answer.json()
    assert answer.headers["content-type"].startswith("application/json")
    assert told["issuer"] == ISSUER
    assert (await client.get("/.well-known/oauth-authorization-server/identity")).json() == told
    required = {"authorization_endpoint", "token_endpoint", "jwks_uri", "response_types_supported"}
    required |= {"subject_types_supported", "id_token_signing_alg_values_supported"}
    assert required <= set(told)
    assert "openid" in told["scopes_supported"]
    for name, address in told.items():
        if name.endswith(("_endpoint", "_uri")):
            assert address.startswith(f"{ISSUER}/")
            assert (
                await client.request("OPTIONS", address.removeprefix("http://localhost"))
            ).status_code == 405
        if isinstance(address, list):
            assert address, f"{name} is left out rather than empty"
            assert len(set(address)) == len(address), name


@pytest.fixture
async def of_every_kind(app: FastAPI, transactions: Transactions, ring: KeyRing) -> None:
    """With a key for each algorithm that ID tokens can be signed with, as everywhere but in most tests."""
    further = frozenset(ID_TOKEN_ALGORITHMS) - {"ES256"}
    app.state.settings = app.state.settings.model_copy(update={"further_id_token_algorithms": further})
    app.state.signing_keys = KeyStore(transactions, ring, further=further)


@pytest.mark.usefixtures("of_every_kind")
async def test_a_client_gets_id_tokens_of_the_algorithm_it_is_registered_for(
    client: httpx.AsyncClient, population: Population
) -> None:
    person = await population.person()
    published = (await client.get("/identity/jwks")).json()
    metadata = (await client.get("/identity/.well-known/openid-configuration")).json()
    assert set(metadata["id_token_signing_alg_values_supported"]) == {one["alg"] for one in published["keys"]}
    for algorithm in ID_TOKEN_ALGORITHMS:
        app = Application(client, await population.client(id_token_signed_response_alg=algorithm), CALLBACK)
        tokens = await app.tokens(person)
        read = jwt.decode(tokens["id_token"], KeySet.import_key_set(published), algorithms=[algorithm])
        assert (read.header["alg"], read.claims["aud"]) == (algorithm, app.client.client_id)
        digest = (hashlib.sha512 if algorithm == "EdDSA" else hashlib.sha256)(tokens["access_token"].encode())
        half = digest.digest()[: digest.digest_size // 2]
        assert read.claims["at_hash"] == base64.urlsafe_b64encode(half).rstrip(b"=").decode()
        renewed = (await app.refresh(tokens["refresh_token"])).json()
        assert jwt.decode(renewed["id_token"], KeySet.import_key_set(published), algorithms=[algorithm])
        hint = urlencode({"id_token_hint": tokens["id_token"]})
        assert (await client.get(f"/identity/logout?{hint}")).status_code == 200
        assert (await told(app, prompt="none"))["error"] == "login_required"


async def test_the_published_keys_are_public_distinct_and_say_what_they_are_for(
    client: httpx.AsyncClient,
) -> None:
    told = (await client.get("/identity/.well-known/openid-configuration")).json()
    keys = (await client.get("/identity/jwks")).json()["keys"]
    assert len({key["kid"] for key in keys}) == len(keys)
    assert {key["alg"] for key in keys} == set(told["id_token_signing_alg_values_supported"])
    for key in keys:
        assert key["use"] == "sig"
        assert not {"d", "p", "q", "dp", "dq", "qi", "oth", "k"} & set(key)


LOGOUTS: list[tuple[dict[str, str | None], bool]] = [
    ({"id_token_hint": None}, False),
    ({"id_token_hint": None, "post_logout_redirect_uri": None}, False),
    ({"id_token_hint": None, "post_logout_redirect_uri": None, "state": None}, False),
    ({"id_token_hint": "signed by somebody else"}, False),
    ({"id_token_hint": "unsigned"}, False),
    ({"post_logout_redirect_uri": f"{CALLBACK}/bye"}, True),
    ({"post_logout_redirect_uri": "https://partner.example/bye?foo=bar"}, True),
    ({"post_logout_redirect_uri": None}, True),
]


async def test_a_logout_leads_back_only_with_a_hint_of_ours_to_an_address_as_registered(
    partner: Application, population: Population
) -> None:
    """The second of each row: whether the hint alone logs out; without a page that asks, nothing else does."""
    person = await population.person()
    for changes, logs_out in LOGOUTS:
        token = (await partner.tokens(person))["id_token"]
        claims = claims_of(token)
        asked = {
            "id_token_hint": token,
            "post_logout_redirect_uri": "https://partner.example/bye",
            "state": STATE,
            **changes,
        }
        sent = {name: _hint(value, claims) for name, value in asked.items() if value is not None}
        answer = await partner.browser.get(f"/identity/logout?{urlencode(sent)}")
        assert answer.status_code in (200, 400), changes
        assert "location" not in answer.headers, changes
        back = await told(partner, prompt="none")
        assert ("error" in back) is logs_out, changes


def _hint(value: str, claims: Mapping[str, Any]) -> str:
    key = ECKey.generate_key("P-256")
    if value == "signed by somebody else":
        return jwt.encode({"alg": "ES256"}, dict(claims), key)
    if value == "unsigned":
        body = jwt.encode({"alg": "ES256"}, dict(claims), key).split(".")[1]
        header = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
        return f"{header}.{body}."
    return value


async def test_a_logout_without_state_brings_none_back_and_who_comes_next_is_nobody(
    partner: Application, population: Population
) -> None:
    token = (await partner.tokens(await population.person()))["id_token"]
    sent = {"id_token_hint": token, "post_logout_redirect_uri": "https://partner.example/bye"}
    answer = await partner.browser.get(f"/identity/logout?{urlencode(sent)}")
    assert answer.headers["location"] == "https://partner.example/bye"
    assert (await told(partner, prompt="none"))["error"] == "login_required"
