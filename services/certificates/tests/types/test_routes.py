import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import delete, func, select

from certificates_service.types.models import LicenceType
from service_common.db import Database

Caller = Callable[[], dict[str, str]]
FILE: dict[str, Any] = json.loads(
    (Path(__file__).parents[4] / "data" / "licence_types.json").read_text(encoding="utf-8")
)


async def _count(database: Database) -> int:
    async with database.sessions() as session:
        return await session.scalar(select(func.count()).select_from(LicenceType)) or 0


@pytest.fixture
async def no_types(database: Database) -> None:
    async with database.sessions() as session, session.begin():
        await session.execute(delete(LicenceType))


@pytest.mark.usefixtures("no_types")
async def test_the_real_file_loads_and_loads_again_without_change(
    client: httpx.AsyncClient, platform: Caller
) -> None:
    count = len(FILE["licence_types"])
    first = await client.post("/licence-types/imports", json=FILE, headers=platform())
    assert (first.status_code, first.json()) == (201, {"added": count, "changed": 0, "unchanged": 0})
    again = await client.post("/licence-types/imports", json=FILE, headers=platform())
    assert again.json() == {"added": 0, "changed": 0, "unchanged": count}


async def test_a_changed_row_is_taken_over(client: httpx.AsyncClient, platform: Caller) -> None:
    changed = {**FILE["licence_types"][0], "qr_lifetime_seconds": 120}
    answer = await client.post(
        "/licence-types/imports", json={"licence_types": [changed]}, headers=platform()
    )
    assert answer.json() == {"added": 0, "changed": 1, "unchanged": 0}
    read = await client.get(f"/licence-types/{changed['code']}")
    assert read.json()["qr_lifetime_seconds"] == 120


@pytest.mark.usefixtures("no_types")
async def test_one_bad_row_is_named_and_nothing_is_loaded(
    client: httpx.AsyncClient, platform: Caller, database: Database
) -> None:
    good, bad = FILE["licence_types"][:2]
    body = {"licence_types": [good, {**bad, "code": "11990000LB0000230N002"}]}
    answer = await client.post("/licence-types/imports", json=body, headers=platform())
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_licence_type_file")
    assert answer.json()["errors"][0]["pointer"] == "/licence_types/1/code"
    assert await _count(database) == 0


async def test_a_row_of_the_wrong_form_is_named(client: httpx.AsyncClient, platform: Caller) -> None:
    row = {**FILE["licence_types"][0], "qr_lifetime_seconds": 5, "colour": "red"}
    answer = await client.post("/licence-types/imports", json={"licence_types": [row]}, headers=platform())
    assert answer.status_code == 422
    assert {one["pointer"] for one in answer.json()["errors"]} == {
        "/licence_types/0/qr_lifetime_seconds",
        "/licence_types/0/colour",
    }


async def test_importing_needs_its_scope(
    client: httpx.AsyncClient, token: Callable[..., dict[str, str]]
) -> None:
    headers = token(scope="certificates:licences.read")
    answer = await client.post("/licence-types/imports", json=FILE, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")
    assert (await client.post("/licence-types/imports", json=FILE)).status_code == 401


async def test_anybody_pages_through_the_types(client: httpx.AsyncClient) -> None:
    codes: list[str] = []
    url: str | None = "/licence-types?limit=10"
    while url:
        page = (await client.get(url.removeprefix("/certificates/v1"))).json()
        codes += [one["code"] for one in page["items"]]
        url = page["next"]
    assert codes == sorted(one["code"] for one in FILE["licence_types"])


async def test_a_type_shows_keys_labels_and_schema(client: httpx.AsyncClient) -> None:
    read = (await client.get("/licence-types/11990000LB0000230M001")).json()
    assert read["name"] == "营业执照"
    assert read["is_official"] is False
    assert read["surface_fields"][0]["key"] == read["surface_fields"][0]["label"] == "统一社会信用代码"
    assert read["surface_schema"]["required"] == ["统一社会信用代码", "名称"]


async def test_an_unknown_type_is_not_found(client: httpx.AsyncClient) -> None:
    assert (await client.get("/licence-types/11990000LB0000230M999")).json()["code"] == "no_such_licence_type"


async def test_an_old_cursor_is_refused_clearly(client: httpx.AsyncClient) -> None:
    answer = await client.get("/licence-types?cursor=nonsense")
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_cursor")
