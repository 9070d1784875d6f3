"""Who enters: tokens at the running edge."""

import asyncio
import time
from typing import TYPE_CHECKING

import pytest
from joserfc.jwk import ECKey

from gateway_service.edge import tokens

if TYPE_CHECKING:
    from gateway.tests.edge.conftest import Edge, EdgeStarter

PRIVATE = "/acceptance/v1/cases/1"
PUBLIC = "/acceptance/v1/items"
FAILED_FETCHES = "http.edge.jwt_authn.jwks_fetch_failed"


def _foreign_key(edge: "Edge") -> ECKey:
    return ECKey.generate_key("P-256", {"kid": str(edge.issuer.keys[-1].kid)})


async def test_a_good_token_passes_and_is_forwarded(edge: "Edge") -> None:
    headers = edge.issuer.bearer()
    answer = await edge.http.get(PRIVATE, headers=headers)
    assert answer.status_code == 200
    assert edge.upstream.requests[0].header("authorization") == headers["Authorization"]


async def test_a_scheme_in_small_letters_is_the_same(edge: "Edge") -> None:
    for scheme in ("bearer", "dpop"):
        headers = {"Authorization": f"{scheme} {edge.issuer.token()}"}
        assert (await edge.http.get(PRIVATE, headers=headers)).status_code == 200
        headers = {"Authorization": f"{scheme} {edge.issuer.token(key=_foreign_key(edge))}"}
        assert (await edge.http.get(PRIVATE, headers=headers)).status_code == 401


async def test_dpop_is_a_scheme_too_and_the_proof_passes_untouched(edge: "Edge") -> None:
    headers = {"Authorization": f"DPoP {edge.issuer.token()}", "DPoP": "e30.e30.c2ln"}
    answer = await edge.http.get(PRIVATE, headers=headers)
    assert answer.status_code == 200
    arrived = edge.upstream.requests[0]
    assert (arrived.header("authorization"), arrived.header("dpop")) == (
        headers["Authorization"],
        headers["DPoP"],
    )


async def test_a_bad_token_is_refused_whatever_its_scheme(edge: "Edge") -> None:
    for token in (edge.issuer.token(exp=int(time.time()) - 60), edge.issuer.token(key=_foreign_key(edge))):
        headers = {"Authorization": f"DPoP {token}", "DPoP": "e30.e30.c2ln"}
        answer = await edge.http.get(PRIVATE, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")
    assert edge.upstream.requests == []


async def test_without_token_the_answer_is_a_problem_document(edge: "Edge") -> None:
    answer = await edge.http.get(PRIVATE)
    assert answer.status_code == 401
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["content-language"] == "zh"
    problem = answer.json()
    assert problem["code"] == "unauthenticated"
    assert problem["status"] == 401
    assert problem["title"] == "需要登录"
    assert problem["instance"] == PRIVATE
    assert problem["request_id"] == answer.headers["x-request-id"]
    assert edge.upstream.requests == []


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({"exp": int(time.time()) - 60}, id="expired"),
        pytest.param({"exp": None}, id="without expiry"),
        pytest.param({"iss": "https://elsewhere/identity"}, id="wrong issuer"),
        pytest.param({"nbf": int(time.time()) + 86_400}, id="not yet valid"),  # nor at the end of a long run
    ],
)
@pytest.mark.parametrize("path", [PRIVATE, PUBLIC])
async def test_a_token_with_wrong_claims_is_refused(
    edge: "Edge", claims: dict[str, object], path: str
) -> None:
    answer = await edge.http.get(path, headers=edge.issuer.bearer(**claims))
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")
    assert answer.headers["www-authenticate"] == 'Bearer error="invalid_token"'
    assert edge.upstream.requests == []


async def test_a_token_signed_by_another_key_of_the_same_name_is_refused(edge: "Edge") -> None:
    answer = await edge.http.get(PRIVATE, headers=edge.issuer.bearer(key=_foreign_key(edge)))
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_token")


@pytest.mark.parametrize("value", ["Bearer nonsense", "Bearer a.b.c"])
async def test_nonsense_is_refused(edge: "Edge", value: str) -> None:
    answer = await edge.http.get(PRIVATE, headers={"Authorization": value})
    assert answer.status_code == 401
    assert edge.upstream.requests == []


async def test_a_token_in_the_address_is_none(edge: "Edge") -> None:
    answer = await edge.http.get(PRIVATE, params={"access_token": edge.issuer.token()})
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


async def test_a_public_path_needs_no_token(edge: "Edge") -> None:
    assert (await edge.http.get(PUBLIC)).status_code == 200


async def test_changing_something_below_a_public_path_needs_one(edge: "Edge") -> None:
    answer = await edge.http.post(PUBLIC, json={})
    assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")


async def test_the_protocol_endpoints_judge_credentials_themselves(edge: "Edge") -> None:
    answer = await edge.http.post(
        "/identity/token", headers={"Authorization": "Bearer opaque"}, data={"a": "b"}
    )
    assert answer.status_code == 200
    assert edge.upstream.requests[0].header("authorization") == "Bearer opaque"


async def test_english_is_spoken_when_asked_for(edge: "Edge") -> None:
    answer = await edge.http.get(PRIVATE, headers={"Accept-Language": "en-GB,zh;q=0.5"})
    assert answer.json()["detail"] == "Sign in first."
    assert answer.headers["content-language"] == "en"


async def test_keys_outlive_an_outage_of_identity_and_unknown_keys_cause_no_flood(
    start_edge: "EdgeStarter", monkeypatch: pytest.MonkeyPatch
) -> None:
    period = 3
    monkeypatch.setattr(tokens, "KEYS_PERIOD_SECONDS", period)
    async with start_edge() as edge:
        old = edge.issuer.bearer()
        assert (await edge.http.get(PRIVATE, headers=old)).status_code == 200

        stranger = ECKey.generate_key("P-256", {"kid": "never-published"})
        before, began = edge.upstream.key_fetches, time.monotonic()
        answers = await asyncio.gather(
            *(edge.http.get(PRIVATE, headers=edge.issuer.bearer(key=stranger)) for _ in range(100))
        )
        assert {answer.status_code for answer in answers} == {401}
        assert edge.upstream.key_fetches - before <= 1 + (time.monotonic() - began) / period

        await edge.upstream.stop()
        failed = await edge.counter(FAILED_FETCHES)
        async with asyncio.timeout(60):
            while await edge.counter(FAILED_FETCHES) < failed + 2:
                await asyncio.sleep(0.1)
        unseen = edge.issuer.bearer()
        answer = await edge.http.get(PRIVATE, headers=unseen)
        assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")

        edge.issuer.rotate()
        before = edge.upstream.key_fetches
        await edge.upstream.start()
        async with asyncio.timeout(60):
            fresh = edge.issuer.bearer()
            while (await edge.http.get(PRIVATE, headers=fresh)).status_code != 200:
                await asyncio.sleep(0.1)
                assert edge.upstream.key_fetches <= before + 2, "the first fetch brings the new key"
        assert (await edge.http.get(PRIVATE, headers=unseen)).status_code == 200
