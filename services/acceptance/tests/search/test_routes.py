"""Search over HTTP."""

import httpx
import pytest

SEARCH = "/acceptance/v1/catalogue/search"


async def test_the_small_shop_finds_the_convenience_store(catalogue_client: httpx.AsyncClient) -> None:
    answer = await catalogue_client.post(SEARCH, json={"text": "开小卖部", "division": "430304000000"})
    assert answer.status_code == 200
    first = answer.json()["items"][0]
    assert (first["code"], first["kind"], first["division"]) == ("43TCP0018", "BUNDLE", "430304000000")
    assert first["guide"]
    assert first["department_name"]


async def test_a_page_leads_to_the_next(catalogue_client: httpx.AsyncClient) -> None:
    wish = {"text": "许可证", "limit": 5}
    first = (await catalogue_client.post(SEARCH, json=wish)).json()
    second = (await catalogue_client.post(SEARCH, json=wish | {"cursor": first["next_cursor"]})).json()
    codes = [one["code"] for one in first["items"] + second["items"]]
    assert len(set(codes)) == 10


async def test_the_last_page_has_no_cursor(catalogue_client: httpx.AsyncClient) -> None:
    answer = await catalogue_client.post(SEARCH, json={"text": "便利店", "limit": 50})
    assert answer.json()["next_cursor"] is None


async def test_nothing_found_is_an_empty_page(catalogue_client: httpx.AsyncClient) -> None:
    answer = await catalogue_client.post(SEARCH, json={"text": "量子纠缠"})
    assert answer.json() == {"items": [], "next_cursor": None}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"text": "？？"}, "/text"),
        ({"text": ""}, "/text"),
        ({"text": "x" * 101}, "/text"),
        ({"text": "店", "division": "43"}, "/division"),
        ({"text": "店", "limit": 0}, "/limit"),
        ({"text": "店", "colour": "red"}, "/colour"),
    ],
)
async def test_a_bad_search_is_pointed_at(
    client: httpx.AsyncClient, body: dict[str, object], pointer: str
) -> None:
    answer = await client.post(SEARCH, json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == pointer


@pytest.mark.parametrize("cursor", ["x", "WyJhIl0", "W10", "WyIxIiwiMiJd"])
async def test_a_cursor_that_is_none_is_refused(client: httpx.AsyncClient, cursor: str) -> None:
    answer = await client.post(SEARCH, json={"text": "店", "cursor": cursor})
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_cursor")
