"""What happens when an upstream misbehaves: repeated where that is harmless, honest where it is not."""

import asyncio
import dataclasses
from typing import TYPE_CHECKING

import httpx
import pytest

from gateway_service.edge.routes import ROUTES

if TYPE_CHECKING:
    from gateway.tests.edge.conftest import Edge, EdgeStarter

REFUSED_CONNECTIONS = "cluster.acceptance.upstream_cx_connect_fail"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
async def test_a_change_reaches_an_upstream_that_dies_at_most_once(edge: "Edge", method: str) -> None:
    answer = await edge.http.request(
        method, "/acceptance/v1/dies", headers=edge.issuer.bearer(), content=b"{}"
    )
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")
    assert answer.headers["retry-after"] == "2"
    assert len(edge.upstream.requests) == 1


async def test_a_change_is_not_repeated_on_503_either(edge: "Edge") -> None:
    answer = await edge.http.post("/acceptance/v1/busy-once", headers=edge.issuer.bearer(), content=b"{}")
    assert answer.status_code == 503
    assert len(edge.upstream.requests) == 1


@pytest.mark.parametrize("path", ["/acceptance/v1/dies-once", "/acceptance/v1/busy-once"])
async def test_reading_is_repeated(edge: "Edge", path: str) -> None:
    answer = await edge.http.get(path, headers=edge.issuer.bearer())
    assert answer.status_code == 200
    assert len(edge.upstream.requests) == 2


async def test_reading_is_not_repeated_for_ever(edge: "Edge") -> None:
    answer = await edge.http.get("/acceptance/v1/dies", headers=edge.issuer.bearer())
    assert answer.status_code == 503
    assert len(edge.upstream.requests) == 4


async def test_a_public_post_is_not_repeated(edge: "Edge") -> None:
    answer = await edge.http.post("/acceptance/v1/bundles/dies/plan", content=b"{}")
    assert answer.status_code == 200
    answer = await edge.http.post("/identity/dies", content=b"{}")
    assert answer.status_code == 503
    assert len(edge.upstream.to("/identity/dies")) == 1


async def test_an_upstream_that_speaks_no_http_is_a_503(edge: "Edge") -> None:
    answer = await edge.http.post("/acceptance/v1/babbles", headers=edge.issuer.bearer(), content=b"{}")
    assert (answer.status_code, answer.json()["status"]) == (503, 503)
    assert len(edge.upstream.requests) == 1


async def test_a_change_waits_for_a_service_that_restarts(start_edge: "EdgeStarter") -> None:
    """Nothing was sent while nobody listened, so trying again cannot double anything."""
    async with start_edge() as edge:
        # The three repetitions come after times that Envoy draws: by chance all three may be over when the service is back.
        for number in range(20):
            answer = await _answer_after_a_restart(edge, f"/acceptance/v1/cases/{number}")
            assert len(edge.upstream.to(f"/acceptance/v1/cases/{number}")) == int(answer.status_code == 200)
            if answer.status_code == 200:
                return
            assert answer.status_code == 503
        raise AssertionError("not one of twenty waited")


async def _answer_after_a_restart(edge: "Edge", path: str) -> httpx.Response:
    """Of a service that nobody reached at the first try, and that comes back then."""
    await edge.upstream.stop()
    refused = await edge.counter(REFUSED_CONNECTIONS)
    running = asyncio.create_task(edge.http.post(path, headers=edge.issuer.bearer(), content=b"{}"))
    async with asyncio.timeout(60):
        while await edge.counter(REFUSED_CONNECTIONS) == refused:
            await asyncio.sleep(0.005)
    await edge.upstream.start()
    return await running


async def test_a_change_into_a_connection_that_the_upstream_closed_is_sent_once(
    start_edge: "EdgeStarter",
) -> None:
    """The keep-alive race: the connection in the pool is cut just as the next request takes it."""
    async with start_edge() as edge:
        headers = edge.issuer.bearer()
        for number in range(60):
            path = f"/acceptance/v1/cases/{number}"
            assert (await edge.http.get("/acceptance/v1/cases", headers=headers)).status_code == 200
            cut = asyncio.create_task(edge.upstream.cut_idle_connections())
            answer = await edge.http.post(path, headers=headers, content=b"{}")
            await cut
            assert len(edge.upstream.to(path)) <= 1
            assert answer.status_code in {200, 503}
            if answer.status_code == 200:
                assert len(edge.upstream.to(path)) == 1


async def test_an_answer_that_takes_too_long_is_a_504(start_edge: "EdgeStarter") -> None:
    hasty = [dataclasses.replace(route, timeout_seconds=0.5) for route in ROUTES]
    async with start_edge(routes=hasty) as edge:
        answer = await edge.http.post("/acceptance/v1/stalls", headers=edge.issuer.bearer(), content=b"{}")
        assert (answer.status_code, answer.json()["code"]) == (504, "upstream_timeout")
        async with asyncio.timeout(30):
            while not edge.upstream.requests:  # half a second can pass before it is read
                await asyncio.sleep(0.02)
        assert len(edge.upstream.requests) == 1


async def test_without_its_upstream_the_edge_answers_503_in_the_clients_language(
    start_edge: "EdgeStarter",
) -> None:
    async with start_edge() as edge:
        headers = edge.issuer.bearer() | {"Accept-Language": "en"}
        await edge.upstream.stop()
        answer = await edge.http.post("/acceptance/v1/cases", headers=headers, content=b"{}")
        assert answer.status_code == 503
        assert answer.json()["detail"] == "Temporarily unavailable, retry later."
        await edge.upstream.start()
