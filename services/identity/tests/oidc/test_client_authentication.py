"""Clients that act for themselves: secrets, signed assertions, and what is refused."""

import asyncio
import base64
import json
import time
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
from fastapi import FastAPI
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey
from services.identity.tests.conftest import ISSUER
from services.identity.tests.factories import HEALTH_USCC, Population, RegisteredClient
from services.identity.tests.flows import claims_of, what_was_believed_is_over
from sqlalchemy import delete, event, select

from identity_service.db import Transactions
from identity_service.oidc.clients import ServiceClientEntry, ServiceClients
from identity_service.relying_parties.domain import Authentication, GrantType
from identity_service.relying_parties.models import Client, ClientSecret
from identity_service.scopes import ScopeCatalogue, ScopeEntry

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SCOPE = "identity:test.push"


@pytest.fixture(scope="module")
def key() -> ECKey:
    return ECKey.generate_key("P-256", {"alg": "ES256", "use": "sig"}, auto_kid=True)


@pytest.fixture
def scoped(app: FastAPI) -> None:
    """A scope that partners may be granted, as another service would export one."""
    entries = dict(app.state.scopes.entries)
    entries[SCOPE] = ScopeEntry(name=SCOPE, zh="推送", en="Push", roles=frozenset({"partner"}))
    app.state.scopes = ScopeCatalogue(entries)


@pytest.fixture
async def with_secret(population: Population, scoped: None) -> RegisteredClient:
    return await population.client(
        grant_types=[GrantType.CLIENT_CREDENTIALS], redirect_uris=[], scopes=[SCOPE]
    )


@pytest.fixture
async def with_key(population: Population, key: ECKey, scoped: None) -> RegisteredClient:
    return await population.client(
        authentication=Authentication.PRIVATE_KEY,
        grant_types=[GrantType.CLIENT_CREDENTIALS],
        redirect_uris=[],
        scopes=[SCOPE],
        jwks={"keys": [key.as_dict(private=False)]},
    )


def assertion(client_id: str, key: Any, *, header: dict[str, Any] | None = None, **changes: Any) -> str:
    now = int(time.time())
    claims = {
        "iss": client_id,
        "sub": client_id,
        "aud": ISSUER,
        "jti": f"{time.monotonic_ns()}",
        "iat": now,
        "exp": now + 60,
        **changes,
    }
    kept = {name: value for name, value in claims.items() if value is not None}
    made = header or {"alg": "ES256"}
    return jwt.encode(made, kept, key, algorithms=[made["alg"]])


async def ask(client: httpx.AsyncClient, signed: str, **form: str) -> httpx.Response:
    data = {
        "grant_type": "client_credentials",
        "client_assertion_type": ASSERTION,
        "client_assertion": signed,
        **form,
    }
    return await client.post("/identity/token", data=data)


async def test_a_secret_by_basic_or_post_gets_a_token_of_the_department(
    client: httpx.AsyncClient, with_secret: RegisteredClient, population: Population
) -> None:
    assert with_secret.secret
    form = {"grant_type": "client_credentials"}
    basic = await client.post("/identity/token", data=form, auth=(with_secret.client_id, with_secret.secret))
    post = await client.post(
        "/identity/token",
        data={**form, "client_id": with_secret.client_id, "client_secret": with_secret.secret},
    )
    for answer in (basic, post):
        claims = claims_of(answer.json()["access_token"])
        assert claims["sub"] == claims["client_id"] == with_secret.client_id
        assert claims["subject_type"] == "client"
        assert claims["scope"] == SCOPE
        assert claims["department_id"] == str((await population.department(HEALTH_USCC)).id)
        assert "sid" not in claims
        assert "refresh_token" not in answer.json()
    assert basic.headers["cache-control"] == "no-store"


async def test_a_token_of_the_client_itself_is_not_revoked(
    client: httpx.AsyncClient, with_secret: RegisteredClient
) -> None:
    token = (await _token_by_secret(client, with_secret)).json()["access_token"]
    auth = httpx.BasicAuth(with_secret.client_id, with_secret.secret or "")
    refused = await client.post("/identity/revoke", data={"token": token}, auth=auth)
    assert (refused.status_code, refused.json()["error"]) == (400, "unsupported_token_type")


@pytest.mark.parametrize("secret", ["wrong", "", "\u96f6"])
async def test_a_wrong_secret_is_refused_with_401(
    client: httpx.AsyncClient, with_secret: RegisteredClient, secret: str
) -> None:
    raw = base64.b64encode(f"{with_secret.client_id}:{secret}".encode()).decode()
    answer = await client.post(
        "/identity/token",
        data={"grant_type": "client_credentials"},
        headers={"Authorization": f"Basic {raw}"},
    )
    assert answer.status_code == 401
    assert answer.json()["error"] == "invalid_client"
    assert answer.headers["www-authenticate"].startswith('Basic realm="')


async def test_basic_credentials_that_are_not_text_are_refused(client: httpx.AsyncClient) -> None:
    raw = base64.b64encode(b"\xff\xfe:\xff").decode()
    answer = await client.post(
        "/identity/token",
        data={"grant_type": "client_credentials"},
        headers={"Authorization": f"Basic {raw}"},
    )
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_a_signed_assertion_gets_a_token(
    client: httpx.AsyncClient, with_key: RegisteredClient, key: ECKey
) -> None:
    for audience in (ISSUER, f"{ISSUER}/token", [ISSUER]):
        answer = await ask(client, assertion(with_key.client_id, key, aud=audience))
        assert answer.status_code == 200, answer.text
        assert claims_of(answer.json()["access_token"])["scope"] == SCOPE


async def test_an_assertion_is_accepted_once_even_at_once(
    client: httpx.AsyncClient, with_key: RegisteredClient, key: ECKey
) -> None:
    signed = assertion(with_key.client_id, key)
    answers = await asyncio.gather(*(ask(client, signed) for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401, 401, 401]
    assert (await ask(client, signed)).json()["error"] == "invalid_client"


async def test_those_of_a_moment_are_remembered_together_and_each_accepted_once(
    app: FastAPI, client: httpx.AsyncClient, with_key: RegisteredClient, key: ECKey
) -> None:
    assert (await ask(client, assertion(with_key.client_id, key))).status_code == 200  # it is known now
    sent: list[str] = []
    engine = app.state.database.engine.sync_engine
    note = lambda _connection, _cursor, statement, *_: sent.append(statement)  # noqa: E731
    event.listen(engine, "before_cursor_execute", note)
    once = [assertion(with_key.client_id, key, jti=f"once-{number}") for number in range(8)]
    twice = assertion(with_key.client_id, key, jti="twice")
    answers = await asyncio.gather(*(ask(client, one) for one in (*once, twice, twice)))
    event.remove(engine, "before_cursor_execute", note)
    assert [answer.status_code for answer in answers[:8]] == [200] * 8
    assert sorted(answer.status_code for answer in answers[8:]) == [200, 401]
    assert len([one for one in sent if "used_assertions" in one]) < len(answers)


async def test_more_at_once_than_there_are_connections_all_get_through(
    app: FastAPI, client: httpx.AsyncClient, with_key: RegisteredClient, key: ECKey
) -> None:
    """Nobody knows the client yet: each reads it, and holds its connection while its assertion is remembered."""
    many = 2 * app.state.settings.database_pool_size
    asked = (ask(client, assertion(with_key.client_id, key, jti=f"{number}")) for number in range(many))
    answers = await asyncio.wait_for(asyncio.gather(*asked), 20)  # the pool would wait for thirty
    assert [answer.status_code for answer in answers] == [200] * many


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": int(time.time()) - 120},
        {"exp": int(time.time()) + 90_000},
        {"exp": None},
        {"exp": float("nan")},
        {"exp": 10**400},
        {"exp": "tomorrow"},
        {"aud": "https://elsewhere.example"},
        {"aud": None},
        {"iss": "somebody-else"},
        {"sub": None},
        {"sub": 7},
        {"sub": "nobody"},
        {"jti": None},
        {"jti": "j" * 600},
        {"nbf": int(time.time()) + 86_400},
    ],
)
async def test_an_assertion_with_other_claims_is_refused(
    client: httpx.AsyncClient, with_key: RegisteredClient, key: ECKey, changes: dict[str, Any]
) -> None:
    answer = await ask(client, assertion(with_key.client_id, key, **changes))
    assert answer.status_code in {400, 401}
    assert answer.json()["error"] == "invalid_client"


async def test_an_assertion_that_is_nested_deeper_than_python_reads_is_refused(
    client: httpx.AsyncClient,
) -> None:
    nested = base64.urlsafe_b64encode(b"[" * 1400).rstrip(b"=").decode()
    header = base64.urlsafe_b64encode(b'{"alg":"ES256"}').rstrip(b"=").decode()
    answer = await ask(client, f"{header}.{nested}.AA")
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_an_assertion_of_another_key_or_algorithm_is_refused(
    client: httpx.AsyncClient, with_key: RegisteredClient, key: ECKey
) -> None:
    other = ECKey.generate_key("P-256")
    public = json.dumps(key.as_dict(private=False)).encode()
    shared = OctKey.import_key(public)
    signed = assertion(with_key.client_id, key)
    unsigned = ".".join(
        [base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode(), signed.split(".")[1], ""]
    )
    forged = [
        assertion(with_key.client_id, other),
        assertion(with_key.client_id, shared, header={"alg": "HS256"}),
        unsigned,
        signed[:-4] + "AAAA",
        "not a token",
        "a.b.c",
        "\u96f6.\u96f6.\u96f6",
    ]
    for text in forged:
        answer = await ask(client, text)
        assert answer.status_code in {400, 401}, text
        assert answer.json()["error"] == "invalid_client"


async def test_a_client_with_a_key_cannot_come_without_it(
    client: httpx.AsyncClient, with_key: RegisteredClient
) -> None:
    form = {"grant_type": "client_credentials", "client_id": with_key.client_id}
    assert (await client.post("/identity/token", data=form)).status_code == 401
    answer = await client.post("/identity/token", data={**form, "client_secret": "guess"})
    assert answer.json()["error"] == "invalid_client"


async def test_our_own_services_get_whatever_services_may_have(
    app: FastAPI, client: httpx.AsyncClient, key: ECKey
) -> None:
    entry = ServiceClientEntry(client_id="acceptance", jwks={"keys": [key.as_dict(private=False)]})
    app.state.service_clients = ServiceClients([entry], app.state.scopes)
    answer = await ask(client, assertion("acceptance", key))
    claims = claims_of(answer.json()["access_token"])
    # Other services' scopes are known here too when their tests ran in this process.
    own = {one for one in claims["scope"].split() if one.startswith("identity:")}
    assert own == {"identity:organisation.snapshot", "identity:profiles.lookup"}
    asked = await ask(client, assertion("acceptance", key), scope="identity:staff.manage")
    assert asked.json()["error"] == "invalid_scope"


async def test_a_client_cannot_have_scopes_beyond_its_own(
    client: httpx.AsyncClient, with_secret: RegisteredClient
) -> None:
    assert with_secret.secret
    answer = await client.post(
        "/identity/token",
        data={"grant_type": "client_credentials", "scope": "identity:profiles.lookup"},
        auth=(with_secret.client_id, with_secret.secret),
    )
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_scope")


@pytest.fixture
async def in_use(client: httpx.AsyncClient, with_secret: RegisteredClient) -> RegisteredClient:
    """A client that this process has just given a token and remembers."""
    assert (await _token_by_secret(client, with_secret)).status_code == 200
    return with_secret


async def _token_by_secret(client: httpx.AsyncClient, who: RegisteredClient) -> httpx.Response:
    assert who.secret
    return await client.post(
        "/identity/token", data={"grant_type": "client_credentials"}, auth=(who.client_id, who.secret)
    )


async def _refused_within_a_second(client: httpx.AsyncClient, who: RegisteredClient) -> bool:
    await what_was_believed_is_over()
    return (await _token_by_secret(client, who)).status_code == 401


async def test_a_client_that_is_stopped_while_it_asks_is_refused_within_a_second(
    client: httpx.AsyncClient, in_use: RegisteredClient, population: Population
) -> None:
    await population.stop_client(in_use)
    assert await _refused_within_a_second(client, in_use)


async def test_a_secret_that_is_taken_back_is_refused_within_a_second(
    client: httpx.AsyncClient, in_use: RegisteredClient, transactions: Transactions
) -> None:
    async with transactions() as session:
        own = select(Client.id).where(Client.client_id == in_use.client_id).scalar_subquery()
        await session.execute(delete(ClientSecret).where(ClientSecret.client_id == own))
    assert await _refused_within_a_second(client, in_use)


async def test_a_stopped_client_gets_nothing(
    client: httpx.AsyncClient, with_secret: RegisteredClient, population: Population
) -> None:
    assert with_secret.secret
    await population.stop_client(with_secret)
    answer = await client.post(
        "/identity/token",
        data={"grant_type": "client_credentials"},
        auth=(with_secret.client_id, with_secret.secret),
    )
    assert answer.json()["error"] == "invalid_client"


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({}, "unsupported_grant_type"),
        ({"grant_type": "password", "username": "a", "password": "b"}, "unsupported_grant_type"),
        ({"grant_type": '"'}, "unsupported_grant_type"),
        ({"grant_type": "authorization_code", "code": "x"}, "unauthorized_client"),
        ({"grant_type": "client_credentials", "scope": "\x00"}, "invalid_request"),
    ],
)
async def test_a_bad_token_request_is_an_oauth_error(
    client: httpx.AsyncClient, with_secret: RegisteredClient, form: dict[str, str], error: str
) -> None:
    assert with_secret.secret
    answer = await client.post("/identity/token", data=form, auth=(with_secret.client_id, with_secret.secret))
    assert (answer.status_code, answer.json()["error"]) == (400, error)


async def test_several_resources_at_a_time_are_no_target(
    client: httpx.AsyncClient, with_secret: RegisteredClient
) -> None:
    two = urlencode([("resource", f"urn:lianban:{name}") for name in ("identity", "hotline")])
    headers = {"content-type": "application/x-www-form-urlencoded"}
    auth = httpx.BasicAuth(with_secret.client_id, with_secret.secret or "")
    form = f"grant_type=client_credentials&{two}"
    answer = await client.post("/identity/token", content=form, headers=headers, auth=auth)
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_target")


async def test_repeated_and_misplaced_parameters_are_refused(client: httpx.AsyncClient) -> None:
    twice = "grant_type=client_credentials&grant_type=client_credentials"
    headers = {"content-type": "application/x-www-form-urlencoded"}
    answer = await client.post("/identity/token", content=twice, headers=headers)
    assert answer.json()["error"] == "invalid_request"
    as_json = await client.post("/identity/token", json={"grant_type": "client_credentials"})
    assert as_json.status_code == 400
