from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx

from certificates_service.licences.models import Licence
from service_common.clock import local_date, utc_now
from service_common.db import Database, new_id

Json = dict[str, Any]
Order = Callable[..., Json]
Caller = Callable[[], dict[str, str]]
Issue = Callable[[Json], Awaitable[Json]]
COMPANY = "00000000-0000-7000-8000-0000000000c1"


async def test_a_person_sees_own_licences_and_those_of_represented_companies(
    client: httpx.AsyncClient,
    issue: Issue,
    holder: Caller,
    stranger: Caller,
    agent: Caller,
    business_order: Order,
    person_order: Order,
) -> None:
    card, business = await issue(person_order()), await issue(business_order())

    async def seen_by(caller: Caller, query: str = "") -> list[str]:
        return [
            one["id"] for one in (await client.get(f"/licences{query}", headers=caller())).json()["items"]
        ]

    assert await seen_by(holder) == [card["id"]]
    assert await seen_by(agent) == [business["id"]]
    assert await seen_by(stranger) == []
    assert await seen_by(stranger, f"?holder_id={COMPANY}") == []
    assert await seen_by(agent, "?type_code=11100000000013127D001") == []


async def test_the_list_is_paged_without_gap_or_repeat(
    client: httpx.AsyncClient, issue: Issue, agent: Caller, business_order: Order
) -> None:
    issued = [(await issue(business_order()))["id"] for _ in range(5)]
    found: list[str] = []
    url: str | None = "/licences?limit=2"
    while url:
        page = (await client.get(url.removeprefix("/certificates/v1"), headers=agent())).json()
        found += [one["id"] for one in page["items"]]
        url = page["next"]
    assert found == list(reversed(issued))


async def test_the_list_shows_no_surface(
    client: httpx.AsyncClient, issue: Issue, holder: Caller, person_order: Order
) -> None:
    await issue(person_order())
    answer = await client.get("/licences", headers=holder())
    assert "王小麦" not in answer.text


async def test_the_holder_reads_everything_and_the_issuer_masked(
    client: httpx.AsyncClient, issue: Issue, holder: Caller, police: Caller, person_order: Order
) -> None:
    url = f"/licences/{(await issue(person_order()))['id']}"
    full = await client.get(url, headers=holder())
    assert (full.json()["surface"]["公民身份号码"], full.json()["masked"]) == ("990101199001010019", False)
    assert (full.headers["etag"], full.headers["cache-control"]) == ('"1"', "no-store")
    masked = (await client.get(url, headers=police())).json()
    assert masked["masked"] is True
    assert masked["surface"]["公民身份号码"] == "990*************19"
    assert masked["surface"]["姓名"] == "王**"


async def test_nobody_else_is_told_that_a_licence_exists(
    client: httpx.AsyncClient,
    issue: Issue,
    stranger: Caller,
    market: Caller,
    platform: Caller,
    person_order: Order,
) -> None:
    url = f"/licences/{(await issue(person_order()))['id']}"
    unknown = (await client.get(f"/licences/{new_id()}", headers=stranger())).json()
    for caller in (stranger, market, platform):
        for path in (url, f"{url}/timeline", f"{url}/document", f"{url}/uses"):
            answer = await client.get(path, headers=caller())
            assert (answer.status_code, answer.json()["code"]) == (404, unknown["code"]), path
    assert (await client.get(url)).status_code == 401


async def test_an_account_without_real_name_reads_no_licence(
    client: httpx.AsyncClient, issue: Issue, token: Callable[..., dict[str, str]], person_order: Order
) -> None:
    licence = await issue(person_order())
    for path in ("/licences", f"/licences/{licence['id']}"):
        answer = await client.get(path, headers=token(acr="urn:lianban:loa:1"))
        assert (answer.status_code, answer.json()["code"]) == (401, "insufficient_user_authentication")


async def test_a_client_has_no_licences_of_its_own(client: httpx.AsyncClient, market: Caller) -> None:
    assert (await client.get("/licences", headers=market())).json()["code"] == "not_a_person"


async def test_a_partners_app_that_knows_a_person_by_a_pairwise_name_sees_no_licences(
    client: httpx.AsyncClient, issue: Issue, token: Callable[..., dict[str, str]], person_order: Order
) -> None:
    card = await issue(person_order())
    pairwise = token(sub="q8ZrX0pairwise", client_id="partner-app")
    assert (await client.get("/licences", headers=pairwise)).status_code == 403
    assert (await client.get(f"/licences/{card['id']}", headers=pairwise)).status_code == 404


async def test_the_end_of_validity_counts_at_once(
    client: httpx.AsyncClient, issue: Issue, holder: Caller, person_order: Order, database: Database
) -> None:
    today = local_date(utc_now())
    licence = await issue(person_order(valid_until=str(today)))
    assert (licence["status"], licence["valid"]) == ("NORMAL", True)
    async with database.sessions() as session, session.begin():
        row = await session.get(Licence, licence["id"])
        assert row is not None
        row.valid_until = today - timedelta(days=1)
    read = (await client.get(f"/licences/{licence['id']}", headers=holder())).json()
    assert (read["status"], read["status_label"], read["valid"]) == ("EXPIRED", "过期", False)


async def test_a_licence_is_not_valid_before_its_first_day(issue: Issue, person_order: Order) -> None:
    tomorrow = local_date(utc_now()) + timedelta(days=1)
    licence = await issue(person_order(valid_from=str(tomorrow)))
    assert (licence["status"], licence["valid"]) == ("NORMAL", False)
