"""What the Basic OP, Config OP and logout certification plans of the OpenID Foundation ask and no other test does.

docs/identity-conformance.md says which test answers which of their modules.
"""

import base64
import json
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet
from services.identity.tests.conftest import ISSUER
from services.identity.tests.factories import Population
from services.identity.tests.flows import Application, claims_of, query_of

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


async def test_a_request_by_post_is_one_by_get(partner: Application, population: Population) -> None:
    page = await partner.follow(await partner.browser.post("/identity/authorize", data=partner.request()))
    page = await partner.log_in(await population.person(), page)
    answer = await partner.post("/identity/consent", page, decision="allow")
    assert "code" in query_of(answer.headers["location"])


@pytest.mark.parametrize("page_is_wanted", [False, True])
async def test_a_hint_names_the_only_person_who_will_do(
    partner: Application, population: Population, page_is_wanted: bool
) -> None:
    first, second = await population.person(0), await population.person(1)
    hint = (await partner.tokens(first))["id_token"]
    assert "code" in await told(partner, prompt="none", id_token_hint=hint)
    page = await partner.begin(prompt="login")
    await partner.post("/identity/consent", await partner.log_in(second, page), decision="allow")
    prompt = None if page_is_wanted else "none"
    back = await told(partner, prompt=prompt, id_token_hint=hint, state=STATE)
    assert (back["error"], back["state"]) == ("login_required", STATE)


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
