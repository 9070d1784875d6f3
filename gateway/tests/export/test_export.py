"""One document of what all services hold: a service that fails is named, and never passed over."""

import time
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING

import httpx
import pytest
from fastapi import FastAPI

from gateway_service.export.domain import PARTS

if TYPE_CHECKING:
    from gateway.tests.conftest import Reply, Services

EXPORT = "/gateway/v1/me/export"
NAMES = [part.name for part in PARTS]


@pytest.fixture
async def exporter(app: FastAPI, token: Callable[..., str]) -> AsyncIterator[httpx.AsyncClient]:
    """A person who has just logged in."""
    headers = {"Authorization": f"Bearer {token(scope='gateway:me.export', auth_time=int(time.time()))}"}
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost", headers=headers) as client:
        yield client


@pytest.fixture
def all_answer(services: "Services", reply: "type[Reply]") -> None:
    for part in PARTS:
        services.answers[part.path.split("?")[0]] = reply(body={"items": [part.name], "next": None})


async def test_all_services_are_in_it(exporter: httpx.AsyncClient, all_answer: None) -> None:
    answer = await exporter.get(EXPORT)
    told = answer.json()
    assert (told["complete"], told["missing"], told["continued_at"]) == (True, [], [])
    assert {name: part["data"]["items"] for name, part in told["parts"].items()} == {
        name: [name] for name in NAMES
    }
    assert answer.headers["cache-control"] == "no-store"
    assert "attachment" in answer.headers["content-disposition"]


async def test_a_service_that_does_not_answer_is_named_and_the_rest_still_comes(
    exporter: httpx.AsyncClient, services: "Services", reply: "type[Reply]", all_answer: None
) -> None:
    services.answers["/hotline/v1/me/export"] = reply(503, {"code": "unavailable"})
    services.answers["/evaluation/v1/me/export"] = reply(403, {"code": "insufficient_scope"})
    services.answers["/certificates/v1/me/export"] = reply(200, b"cut off")
    told = (await exporter.get(EXPORT)).json()
    assert not told["complete"]
    assert told["missing"] == ["certificates", "hotline", "evaluation"]
    assert {name: part["status"] for name, part in told["parts"].items()} == {
        "identity": "OK",
        "acceptance": "OK",
        "certificates": "UNAVAILABLE",
        "hotline": "UNAVAILABLE",
        "evaluation": "NOT_PERMITTED",
    }
    assert told["parts"]["hotline"]["data"] is None


async def test_what_is_longer_than_a_page_says_where_it_goes_on(
    exporter: httpx.AsyncClient, services: "Services", reply: "type[Reply]", all_answer: None
) -> None:
    onward = "/acceptance/v1/me/export?limit=100&cursor=abc"
    services.answers["/acceptance/v1/me/export"] = reply(body={"items": [1], "next": onward})
    told = (await exporter.get(EXPORT)).json()
    assert (told["complete"], told["missing"], told["continued_at"]) == (False, [], [onward])


async def test_lists_that_identity_cut_make_it_incomplete(
    exporter: httpx.AsyncClient, services: "Services", reply: "type[Reply]", all_answer: None
) -> None:
    services.answers["/identity/v1/me/export"] = reply(body={"truncated": ["messages"]})
    assert not (await exporter.get(EXPORT)).json()["complete"]


async def test_the_callers_own_token_asks_and_nothing_else(
    exporter: httpx.AsyncClient, services: "Services", all_answer: None
) -> None:
    await exporter.get(EXPORT, headers={"Cookie": "session=1"})
    asked = [one for one in services.peer.asked if one.path != "/identity/jwks"]
    assert {one.path for one in asked} == {part.path for part in PARTS}
    assert {one.headers["authorization"] for one in asked} == {exporter.headers["Authorization"]}
    assert not any("cookie" in one.headers for one in asked)


async def test_an_old_log_in_staff_and_agents_get_nothing(
    anybody: httpx.AsyncClient, services: "Services", token: Callable[..., str], all_answer: None
) -> None:
    now = int(time.time())
    old = token(scope="gateway:me.export", auth_time=now - 3600)
    staff = token(scope="gateway:me.export", auth_time=now, subject_type="staff")
    agent = token(
        scope="gateway:me.export",
        auth_time=now,
        act={"sub": "01930000-0000-7000-8000-000000000002", "subject_type": "person"},
        delegation={
            "id": "01930000-0000-7000-8000-000000000003",
            "acts": ["VIEW", "SUBMIT", "SIGN", "COLLECT"],
            "matters": ["acceptance:*"],
        },
    )
    answers = [
        await anybody.get(EXPORT, headers={"Authorization": f"Bearer {one}"}) for one in (old, staff, agent)
    ]
    assert [(one.status_code, one.json()["code"]) for one in answers] == [
        (401, "insufficient_user_authentication"),
        (403, "not_a_person"),
        (403, "not_delegated"),
    ]
    assert [one for one in services.peer.asked if one.path != "/identity/jwks"] == []
