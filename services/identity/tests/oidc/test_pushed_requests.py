"""Pushed authorization requests (RFC 9126): proven, kept for a moment, good once and for one client."""

import asyncio
from urllib.parse import urlencode

import httpx
from services.identity.tests.conftest import Clock
from services.identity.tests.factories import CALLBACK, Citizen, Population
from services.identity.tests.flows import Application, hidden, query_of

PREFIX = "urn:ietf:params:oauth:request_uri:"


async def start(app: Application, request_uri: str, **beside: str) -> httpx.Response:
    """To the authorization endpoint with what was pushed."""
    query = urlencode({"client_id": app.client.client_id, "request_uri": request_uri, **beside})
    return await app.follow(await app.browser.get(f"/identity/authorize?{query}"))


async def through(app: Application, who: Citizen, page: httpx.Response) -> str:
    """Through the pages to the address at the client."""
    page = await app.log_in(who, page)
    if "/identity/consent" in page.text:
        page = await app.post("/identity/consent", page, decision="allow")
    assert page.status_code == 303, page.text
    return page.headers["location"]


async def test_a_pushed_request_leads_to_a_code(partner: Application, population: Population) -> None:
    pushed = await partner.push()
    assert pushed.status_code == 201, pushed.text
    assert pushed.json()["request_uri"].startswith(PREFIX)
    assert pushed.json()["expires_in"] == 90
    assert pushed.headers["cache-control"] == "no-store"
    page = await start(partner, pushed.json()["request_uri"])
    address = await through(partner, await population.person(), page)
    assert address.startswith(f"{CALLBACK}?")
    assert query_of(address)["state"] == "st-1"
    assert (await partner.exchange(query_of(address)["code"])).status_code == 200


async def test_what_stands_beside_a_pushed_request_does_not_count(
    partner: Application, population: Population
) -> None:
    uri = (await partner.push()).json()["request_uri"]
    page = await start(partner, uri, redirect_uri="https://evil.example/", state="other", scope="phone")
    address = await through(partner, await population.person(), page)
    assert address.startswith(f"{CALLBACK}?")
    assert query_of(address)["state"] == "st-1"


async def test_a_pushed_request_is_answered_once_even_at_once(
    partner: Application, population: Population
) -> None:
    await partner.code(await population.person())
    uri = (await partner.push()).json()["request_uri"]
    query = urlencode({"client_id": partner.client.client_id, "request_uri": uri})
    answers = await asyncio.gather(*(partner.browser.get(f"/identity/authorize?{query}") for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [303, 400, 400, 400]


async def test_a_page_may_be_loaded_again_until_it_is_answered(
    partner: Application, population: Population, clock: Clock
) -> None:
    uri = (await partner.push()).json()["request_uri"]
    first, second = await start(partner, uri), await start(partner, uri)
    clock.pass_(minutes=20)  # at the page
    address = await through(partner, await population.person(), second)
    assert (await partner.exchange(query_of(address)["code"])).status_code == 200
    assert (await start(partner, uri)).status_code == 400
    late = await partner.follow(
        await partner.browser.get(f"/identity/authorize/resume?interaction={hidden(first)['interaction']}")
    )
    assert (late.status_code, "location" in late.headers) == (400, False)


async def test_an_error_is_an_answer_too(partner: Application) -> None:
    uri = (await partner.push(prompt="none")).json()["request_uri"]
    assert "error=login_required" in (await start(partner, uri)).headers["location"]
    assert (await start(partner, uri)).status_code == 400


async def test_two_pushed_requests_at_once_are_none(partner: Application) -> None:
    uris = [(await partner.push()).json()["request_uri"] for _ in range(2)]
    pairs = [*partner.request().items(), *(("request_uri", uri) for uri in uris)]
    answer = await partner.browser.get(f"/identity/authorize?{urlencode(pairs)}")
    assert (answer.status_code, "location" in answer.headers) == (400, False)


async def test_a_pushed_request_of_another_client_or_too_late_is_refused(
    client: httpx.AsyncClient, partner: Application, population: Population, clock: Clock
) -> None:
    other = Application(client, await population.client(), CALLBACK)
    uri = (await partner.push()).json()["request_uri"]
    answers = [await start(other, uri), await start(partner, PREFIX + "guess")]
    clock.pass_(seconds=91)
    answers.append(await start(partner, uri))
    for answer in answers:
        assert answer.status_code == 400
        assert "location" not in answer.headers
        assert "invalid_request_uri" in answer.text


async def test_a_client_that_must_push_cannot_come_otherwise(
    client: httpx.AsyncClient, population: Population
) -> None:
    registered = await population.client(require_pushed_authorization_requests=True)
    strict = Application(client, registered, CALLBACK)
    refused = await strict.begin()
    assert refused.headers["location"].startswith(f"{CALLBACK}?")
    assert query_of(refused.headers["location"])["error"] == "invalid_request"
    page = await start(strict, (await strict.push()).json()["request_uri"])
    assert "code" in query_of(await through(strict, await population.person(), page))


REFUSED: list[tuple[dict[str, str | None], str]] = [
    ({"redirect_uri": "https://evil.example/"}, "invalid_request"),
    ({"redirect_uri": None}, "invalid_request"),
    ({"response_type": "token"}, "unsupported_response_type"),
    ({"response_type": None}, "invalid_request"),
    ({"code_challenge": None}, "invalid_request"),
    ({"code_challenge_method": "plain"}, "invalid_request"),
    ({"scope": "nothing:of.ours"}, "invalid_scope"),
    ({"request_uri": PREFIX + "another"}, "invalid_request"),
    ({"request": "a.b.c"}, "request_not_supported"),
    ({"client_id": None}, "invalid_request"),
    ({"client_id": "lianban-app"}, "invalid_request"),
    ({"client_secret": "wrong", "client_id": "nobody"}, "invalid_request"),
]


async def test_a_request_that_would_be_refused_later_is_refused_now(partner: Application) -> None:
    for changes, error in REFUSED:
        answer = await partner.push(**changes)
        assert (answer.status_code, answer.json()["error"]) == (400, error), changes
        assert "location" not in answer.headers


async def test_who_does_not_prove_itself_pushes_nothing(partner: Application) -> None:
    answer = await partner.browser.post("/identity/par", data=partner.request())
    assert (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


async def test_a_public_client_may_push(mobile: Application, population: Population) -> None:
    page = await start(mobile, (await mobile.push(prompt="login")).json()["request_uri"])
    assert "code" in query_of(await through(mobile, await population.person(), page))


async def test_discovery_tells_of_pushed_requests(client: httpx.AsyncClient) -> None:
    metadata = (await client.get("/identity/.well-known/openid-configuration")).json()
    assert metadata["pushed_authorization_request_endpoint"].endswith("/identity/par")
    assert metadata["require_pushed_authorization_requests"] is False
