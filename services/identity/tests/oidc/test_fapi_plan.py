"""What the certification plan of the FAPI 2.0 Security Profile asks of a provider and no other test does.

docs/identity-conformance.md says which test answers which of its modules.
"""

import base64
import hashlib
import time
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey
from joserfc.jws import JWSRegistry
from services.identity.tests.conftest import ISSUER, Clock
from services.identity.tests.factories import CALLBACK, Population, RegisteredClient
from services.identity.tests.flows import claims_of, query_of
from services.identity.tests.oidc.keyed import KeyedApplication, prove

from identity_service.relying_parties.domain import Authentication, SecurityProfile
from service_common.db import new_id

SCOPE = "openid profile offline_access"
ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@pytest.fixture(scope="module")
def client_key() -> ECKey:
    return ECKey.generate_key("P-256", {"alg": "ES256", "use": "sig"}, auto_kid=True)


async def high_trust(population: Population, key: Any) -> RegisteredClient:
    return await population.client(
        authentication=Authentication.PRIVATE_KEY,
        jwks={"keys": [key.as_dict(private=False)]},
        security_profile=SecurityProfile.FAPI2,
    )


@pytest.fixture
async def bank(client: httpx.AsyncClient, population: Population, client_key: ECKey) -> KeyedApplication:
    return KeyedApplication(client, await high_trust(population, client_key), CALLBACK, client_key=client_key)


async def push(
    bank: KeyedApplication,
    *,
    header: dict[str, Any] | None = None,
    form: dict[str, str] | None = None,
    **claims: Any,
) -> httpx.Response:
    """A pushed request with a hand-made assertion; None leaves a claim out."""
    client_id, now = bank.client.client_id, int(time.time())
    said = {
        "iss": client_id,
        "sub": client_id,
        "aud": ISSUER,
        "jti": str(new_id()),
        "iat": now,
        "exp": now + 60,
    }
    said = {name: value for name, value in {**said, **claims}.items() if value is not None}
    assert bank.client_key is not None
    registry = JWSRegistry(algorithms=[bank.client_algorithm], strict_check_header=False)
    signed = jwt.encode(
        {"alg": bank.client_algorithm, **(header or {})}, said, bank.client_key, registry=registry
    )
    sent = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": signed, **(form or {})}
    return await bank.browser.post("/identity/par", data={**bank.request(), **sent})


def clocks(seconds: int, *names: str) -> dict[str, Any]:
    """Claims of an assertion that was made by a clock so many seconds ahead."""
    now = int(time.time())
    return {"exp": now + 300, **dict.fromkeys(names, now + seconds)}


@pytest.mark.parametrize("names", [("iat",), ("nbf",), ("iat", "nbf")])
async def test_a_clock_may_be_eight_seconds_ahead_but_not_more_than_sixty(
    bank: KeyedApplication, names: tuple[str, ...]
) -> None:
    assert (await push(bank, **clocks(8, *names))).status_code == 201
    refused = await push(bank, **clocks(65, *names))
    assert (refused.status_code, refused.json()["error"]) == (401, "invalid_client")


async def test_an_assertion_may_say_more_than_we_know(bank: KeyedApplication) -> None:
    for header in ({"typ": "client-authentication+jwt"}, {"x5t#S256": "abc"}, {"extra": "x"}):
        assert (await push(bank, header=header, extra="y")).status_code == 201


async def test_both_names_of_the_edwards_curve_are_known(
    client: httpx.AsyncClient, population: Population
) -> None:
    key = OKPKey.generate_key("Ed25519", {"use": "sig"}, auto_kid=True)
    registered = await high_trust(population, key)
    for algorithm in ("Ed25519", "EdDSA"):
        bank = KeyedApplication(client, registered, CALLBACK, client_key=key, client_algorithm=algorithm)
        assert (await push(bank)).status_code == 201


@pytest.mark.parametrize(
    "form", [{"client_id": "lianban-app"}, {"client_secret": "beside"}], ids=["of another", "two ways"]
)
async def test_one_client_authenticates_in_one_way(bank: KeyedApplication, form: dict[str, str]) -> None:
    refused = await push(bank, form=form)
    assert (refused.status_code, refused.json()["error"]) == (400, "invalid_request")


async def come(
    bank: KeyedApplication, beside: dict[str, str] | None = None, **changes: str | None
) -> dict[str, str]:
    """What a pushed request of somebody who is logged in brings back to the client."""
    pushed = await bank.push(**{"scope": SCOPE, **changes})
    assert pushed.status_code == 201, pushed.text
    asked = {
        "client_id": bank.client.client_id,
        "request_uri": pushed.json()["request_uri"],
        **(beside or {}),
    }
    answer = await bank.browser.get(f"/identity/authorize?{urlencode(asked)}")
    assert answer.status_code == 303, answer.text
    return query_of(answer.headers["location"])


UNUSUAL: list[dict[str, str | None]] = [
    {"state": None},
    {"state": "s" * 1000},
    {"nonce": None},
    {"nonce": "n" * 64},
    {"nonce": "n" * 384},
    {"scope": " ".join(reversed(SCOPE.split()))},
]


async def test_unusual_requests_are_answered_as_they_were_made(
    bank: KeyedApplication, population: Population
) -> None:
    await bank.pushed_code(await population.person(), SCOPE)
    for changes in UNUSUAL:
        back = await come(bank, {"state": "outside", "nonce": "outside"}, **changes)
        assert (back.get("state"), back["iss"]) == (changes.get("state", "st-1"), ISSUER)
        given = await bank.exchange(back["code"])
        claims = claims_of(given.json()["id_token"])
        assert claims.get("nonce") == changes.get("nonce", "n-1")
        assert "s_hash" not in claims
        assert given.headers["cache-control"] == "no-store"


async def test_who_refuses_sends_the_client_away_by_name(
    bank: KeyedApplication, population: Population
) -> None:
    pushed = (await bank.push(SCOPE)).json()["request_uri"]
    asked = urlencode({"client_id": bank.client.client_id, "request_uri": pushed})
    page = await bank.follow(await bank.browser.get(f"/identity/authorize?{asked}"))
    page = await bank.log_in(await population.person(), page)
    denied = await bank.post("/identity/consent", page, decision="deny")
    back = query_of(denied.headers["location"])
    assert (back["error"], back["state"], back["iss"]) == ("access_denied", "st-1", ISSUER)


async def test_requests_that_the_profile_forbids_are_not_taken_in(bank: KeyedApplication) -> None:
    for changes, error in FORBIDDEN:
        answer = await bank.push(SCOPE, **changes)
        assert (answer.status_code, answer.json()["error"]) == (400, error), changes
    assert (await bank.browser.put("/identity/par", data=bank.request())).status_code == 405


FORBIDDEN: list[tuple[dict[str, str | None], str]] = [
    ({"response_type": "code id_token"}, "unsupported_response_type"),
    ({"response_type": "token"}, "unsupported_response_type"),
    ({"redirect_uri": None}, "invalid_request"),
    ({"redirect_uri": f"{CALLBACK}/other"}, "invalid_request"),
    ({"request_uri": "urn:ietf:params:oauth:request_uri:random"}, "invalid_request"),
    ({"dpop_jkt": "x" * 43}, "invalid_dpop_proof"),
]


async def test_a_code_is_for_its_client_its_key_and_its_verifier(
    client: httpx.AsyncClient, bank: KeyedApplication, population: Population, clock: Clock
) -> None:
    person = await population.person()
    second_key = ECKey.generate_key("P-256", {"alg": "ES256", "use": "sig"}, auto_kid=True)
    second = KeyedApplication(
        client,
        await high_trust(population, second_key),
        CALLBACK,
        client_key=second_key,
        verifier=bank.verifier,
    )
    code = await bank.pushed_code(person, SCOPE)
    assert (await second.exchange(code)).json()["error"] == "invalid_grant"
    second.client_key = bank.client_key  # the second's name with the first's key
    assert (await second.exchange(code)).json()["error"] == "invalid_client"
    wrong = {"code": code, "redirect_uri": CALLBACK, "grant_type": "authorization_code"}
    assert (await bank.token(**wrong)).json()["error"] in ("invalid_request", "invalid_grant")
    assert (await bank.token(**wrong, code_verifier="v" * 43)).json()["error"] == "invalid_grant"
    code = await bank.pushed_code(person, SCOPE)
    assert (await bank.exchange(code)).status_code == 200
    clock.pass_(seconds=1)
    assert (await bank.exchange(code)).json()["error"] == "invalid_grant"


async def test_a_refresh_needs_the_client_and_a_proof_but_not_the_old_key(
    bank: KeyedApplication, population: Population
) -> None:
    given = (await bank.exchange(await bank.pushed_code(await population.person(), SCOPE))).json()
    bank.key = ECKey.generate_key("P-256")
    renewed = await bank.refresh(given["refresh_token"], scope=SCOPE)
    assert (renewed.status_code, renewed.headers["cache-control"]) == (200, "no-store")
    before, after = claims_of(given["id_token"]), claims_of(renewed.json()["id_token"])
    assert all(after[name] == before[name] for name in ("iss", "sub", "aud", "auth_time"))
    bank.proofs = False
    bare = await bank.refresh(given["refresh_token"])
    assert (bare.status_code, bare.json()["error"]) == (400, "invalid_dpop_proof")
    bank.proofs, bank.client_key = True, None
    nobody = await bank.refresh(given["refresh_token"])
    assert (nobody.status_code, nobody.json()["error"]) == (401, "invalid_client")


async def test_a_scheme_is_read_in_any_case_and_a_proof_by_a_clock_that_is_ten_seconds_off(
    bank: KeyedApplication, population: Population
) -> None:
    token = (await bank.exchange(await bank.pushed_code(await population.person()))).json()["access_token"]
    digest = base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=").decode()
    for scheme, off in (("dPoP", 0), ("DPoP", -10), ("DPoP", 8)):
        proof = prove(
            bank.key, method="GET", url=f"{ISSUER}/userinfo", ath=digest, iat=int(time.time()) + off
        )
        headers = {"Authorization": f"{scheme} {token}", "DPoP": proof}
        assert (await bank.browser.get("/identity/userinfo", headers=headers)).status_code == 200
