"""Licences in the hands of somebody who was entrusted with them."""

from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from service_common.db import new_id

Json = dict[str, Any]
Order = Callable[..., Json]
Caller = Callable[[], dict[str, str]]
Entrusted = Callable[..., dict[str, str]]

AGENT = "00000000-0000-7000-8000-0000000000e1"


@pytest.fixture
async def card(issue: Callable[[Json], Awaitable[Json]], person_order: Order) -> Json:
    return await issue(person_order())


@pytest.fixture
def entrusted(token: Callable[..., dict[str, str]]) -> Entrusted:
    """The token of an agent of the holder."""

    def make(*acts: str, matter: str = "certificates:*") -> dict[str, str]:
        return token(
            act={"sub": AGENT, "subject_type": "person"},
            delegation={"id": str(new_id()), "acts": list(acts), "matters": [matter]},
        )

    return make


async def test_the_holder_reads_who_held_the_licence_up(
    client: httpx.AsyncClient, market: Caller, holder: Caller, card: Json, entrusted: Entrusted
) -> None:
    shown = await client.post(f"/licences/{card['id']}/present", headers=entrusted("COLLECT"))
    assert shown.status_code == 201, shown.text
    checked = await client.post("/verifications", json={"code": shown.json()["code"]}, headers=market())
    assert checked.status_code == 200
    uses = (await client.get(f"/licences/{card['id']}/uses", headers=holder())).json()["items"]
    assert [one["shown_by"] for one in uses] == [AGENT]


async def test_who_may_only_look_neither_shows_nor_takes_the_document(
    client: httpx.AsyncClient, card: Json, entrusted: Entrusted
) -> None:
    one = f"/licences/{card['id']}"
    assert (await client.get(one, headers=entrusted("VIEW"))).status_code == 200
    for refused in (
        await client.post(f"{one}/present", headers=entrusted("VIEW")),
        await client.get(f"{one}/document", headers=entrusted("VIEW")),
        await client.get(one, headers=entrusted("COLLECT")),
    ):
        assert (refused.status_code, refused.json()["code"]) == (403, "not_delegated")


async def test_licences_of_other_types_stay_unknown(
    client: httpx.AsyncClient, card: Json, entrusted: Entrusted
) -> None:
    other, acceptance = "certificates:11100000000099999X001", "acceptance:*"
    one = f"/licences/{card['id']}"
    for matter in (other, acceptance):
        assert (await client.get(one, headers=entrusted("VIEW", matter=matter))).status_code == 404
        shown = await client.post(f"{one}/present", headers=entrusted("COLLECT", matter=matter))
        assert shown.status_code == 404
    listed = await client.get("/licences", headers=entrusted("VIEW", matter=other))
    assert listed.json()["items"] == []
    listed = await client.get("/licences", headers=entrusted("VIEW", matter=acceptance))
    assert (listed.status_code, listed.json()["code"]) == (403, "outside_delegation")
    own_type = f"certificates:{card['type_code']}"
    listed = await client.get("/licences", headers=entrusted("VIEW", matter=own_type))
    assert [row["id"] for row in listed.json()["items"]] == [card["id"]]
