"""One call for the home screen: parts side by side, a failing one leaves the rest alone."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

import httpx
import pytest

from gateway_service.home import client
from gateway_service.home.domain import PART_SECONDS, PARTS

if TYPE_CHECKING:
    from gateway.tests.conftest import Reply, Services

HOME = "/gateway/v1/home"


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """More than two seconds: a busy machine is no slow service."""
    assert PART_SECONDS == 2
    monkeypatch.setattr(client, "PART_SECONDS", 60.0)


@pytest.fixture
def all_answer(services: "Services", reply: "type[Reply]") -> None:
    for part in PARTS:
        services.answers[part.path.split("?")[0]] = reply(body={"items": [part.name]})


async def test_all_parts_come_with_what_their_services_answered(
    citizen: httpx.AsyncClient, all_answer: None
) -> None:
    answer = await citizen.get(HOME)
    assert answer.status_code == 200
    assert answer.json() == {part.name: {"status": "OK", "data": {"items": [part.name]}} for part in PARTS}
    assert answer.headers["cache-control"] == "private, no-store"


async def test_the_users_own_token_is_passed_on_and_nothing_else(
    citizen: httpx.AsyncClient, services: "Services", all_answer: None
) -> None:
    await citizen.get(HOME, headers={"Accept-Language": "en", "Cookie": "session=1", "X-User-Id": "1"})
    asked = [one for one in services.peer.asked if one.path != "/identity/jwks"]
    assert {one.path for one in asked} == {part.path for part in PARTS}
    for one in asked:
        assert one.headers["authorization"] == citizen.headers["Authorization"]
        assert one.headers["accept-language"] == "en"
        assert "cookie" not in one.headers
        assert "x-user-id" not in one.headers


async def test_a_proof_of_possession_is_passed_on_with_the_path_it_was_made_for(
    citizen: httpx.AsyncClient, services: "Services", all_answer: None
) -> None:
    await citizen.get(HOME, headers={"DPoP": "e30.e30.c2ln", "X-Lianban-Proven-At": "/gateway/v1/other"})
    asked = [one for one in services.peer.asked if one.path != "/identity/jwks"]
    assert {(one.headers["dpop"], one.headers["x-lianban-proven-at"]) for one in asked} == {
        ("e30.e30.c2ln", HOME)
    }


async def test_a_failing_part_leaves_the_rest_alone(
    citizen: httpx.AsyncClient, services: "Services", reply: "type[Reply]", all_answer: None
) -> None:
    services.answers["/certificates/v1/licences"] = reply(500, b"broken")
    services.answers["/evaluation/v1/invitations"] = reply(403, {"code": "insufficient_scope"})
    services.answers["/identity/v1/me/inbox"] = reply(200, b"not json")
    answer = (await citizen.get(HOME)).json()
    assert {name: part["status"] for name, part in answer.items()} == {
        "me": "OK",
        "inbox": "UNAVAILABLE",
        "applications": "OK",
        "licences": "UNAVAILABLE",
        "invitations": "NOT_PERMITTED",
    }
    assert answer["licences"]["data"] is None


async def test_slow_parts_do_not_add_up(
    citizen: httpx.AsyncClient, services: "Services", all_answer: None
) -> None:
    """Two that answer only when both have been asked: one after the other, the first would never come."""
    both = asyncio.Barrier(2)
    services.waits |= dict.fromkeys(("/certificates/v1/licences", "/acceptance/v1/applications"), both.wait)
    answer = (await citizen.get(HOME)).json()
    assert {part["status"] for part in answer.values()} == {"OK"}


async def test_a_part_that_does_not_come_in_time_is_not_waited_for(
    citizen: httpx.AsyncClient, services: "Services", all_answer: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(client, "PART_SECONDS", 0.3)
    services.waits["/certificates/v1/licences"] = asyncio.Event().wait
    answer = (await citizen.get(HOME)).json()
    assert answer["licences"] == {"status": "UNAVAILABLE", "data": None}


async def test_the_screen_is_a_persons(
    citizen: httpx.AsyncClient, anybody: httpx.AsyncClient, token: Callable[..., str]
) -> None:
    staff = {"Authorization": f"Bearer {token(subject_type='staff')}"}
    assert (await anybody.get(HOME)).status_code == 401
    assert (await anybody.get(HOME, headers=staff)).json()["code"] == "not_a_person"
