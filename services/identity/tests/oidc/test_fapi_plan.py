"""What the certification plan of the FAPI 2.0 Security Profile asks of a provider and no other test does.

docs/identity-conformance.md says which test answers which of its modules.
"""

import time
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey
from joserfc.jws import JWSRegistry
from services.identity.tests.conftest import ISSUER
from services.identity.tests.factories import CALLBACK, Population, RegisteredClient
from services.identity.tests.oidc.keyed import KeyedApplication

from identity_service.relying_parties.domain import Authentication, SecurityProfile
from service_common.db import new_id

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
