"""A person's own contacts and reviews in clear, and nobody else's."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI

from service_common.auth import Caller
from service_common.clock import utc_now
from service_common.db import new_id

BASE, EXPORT = "/evaluation/v1", "/evaluation/v1/me/export"
SignIn = Callable[..., dict[str, str]]


@pytest.fixture
def somebody() -> Caller:
    """Whom no other test knows."""
    return Caller(str(new_id()), "person", "app", frozenset())


@pytest.fixture
async def invited(app: FastAPI, somebody: Caller, invite_to: Callable[..., Any]) -> list[str]:
    """Two contacts of theirs, the older one first."""
    async with app.state.database.sessions() as session, session.begin():
        return [str((await invite_to(session, somebody, now=utc_now())).id) for _ in range(2)]


async def test_contacts_come_with_their_reviews_in_full(
    http: httpx.AsyncClient, sign_in: SignIn, somebody: Caller, invited: list[str]
) -> None:
    headers = sign_in(somebody, "reviews.write")
    body = {
        "invitation_id": invited[0],
        "grade": "DISSATISFIED",
        "reasons": [],
        "text": "请打19900000001找我。",
    }
    review = await http.post(
        f"{BASE}/reviews", json=body, headers=headers | {"Idempotency-Key": str(uuid4())}
    )
    assert review.status_code == 201, review.text
    answer = await http.get(EXPORT, headers=headers)
    newer, older = answer.json()["items"][:2]
    assert answer.headers["cache-control"] == "no-store"
    assert [newer["id"], older["id"]] == invited[::-1]
    assert newer["review"] is None
    assert older["review"]["text"] == "请打19900000001找我。"
    assert older["review"]["rectification"]["stage"] == "OPENED"


async def test_nobody_gets_anothers(
    http: httpx.AsyncClient, sign_in: SignIn, cast: Any, invited: list[str]
) -> None:
    told = (await http.get(f"{EXPORT}?limit=100", headers=sign_in(cast.wang, "reviews.write"))).json()
    assert not {one["id"] for one in told["items"]} & set(invited)


async def test_pages_lead_through_all_of_it(
    http: httpx.AsyncClient, sign_in: SignIn, somebody: Caller, invited: list[str]
) -> None:
    headers = sign_in(somebody, "reviews.write")
    first = (await http.get(f"{EXPORT}?limit=1", headers=headers)).json()
    second = (await http.get(first["next"], headers=headers)).json()
    assert [first["items"][0]["id"], second["items"][0]["id"]] == invited[::-1]
