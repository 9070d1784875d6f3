import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import select, text, update

from certificates_service.presentation.models import PresentationCode
from service_common.clock import utc_now
from service_common.db import Database, new_id
from service_common.tables import outbox

Json = dict[str, Any]
Order = Callable[..., Json]
Caller = Callable[[], dict[str, str]]
Issue = Callable[[Json], Awaitable[Json]]


@pytest.fixture
async def card(issue: Issue, person_order: Order) -> Json:
    return await issue(person_order())


@pytest.fixture
def show(client: httpx.AsyncClient, holder: Caller, card: Json) -> Callable[[], Awaitable[str]]:
    async def run() -> str:
        answer = await client.post(f"/licences/{card['id']}/present", headers=holder())
        assert answer.status_code == 201, answer.text
        return str(answer.json()["code"])

    return run


async def _uses_told(database: Database) -> list[Json]:
    async with database.sessions() as session:
        events = await session.scalars(
            select(outbox.c.event)
            .where(outbox.c.subject == "gov.certificates.licence.used.v1")
            .order_by(outbox.c.id)
        )
        return [event["data"] for event in events]


async def _revoke(client: httpx.AsyncClient, issuer: Caller, licence: Json) -> None:
    answer = await client.post(
        f"/licences/{licence['id']}/revoke",
        json={"reason": "OBTAINED_BY_DECEIT"},
        headers=issuer() | {"If-Match": '"1"'},
    )
    assert answer.status_code == 200


async def test_a_code_is_random_lives_a_minute_and_comes_as_a_picture(
    client: httpx.AsyncClient, holder: Caller, card: Json, database: Database
) -> None:
    answer = await client.post(f"/licences/{card['id']}/present", headers=holder())
    shown = answer.json()
    token = shown["code"].removeprefix("lianban-licence:")
    assert len(token) >= 43  # 256 bits in base64
    assert shown["qr_svg"].startswith("<svg")
    async with database.sessions() as session:
        [row] = (await session.scalars(select(PresentationCode))).all()
        stored = (await session.execute(text("SELECT c::text FROM presentation_codes c"))).scalar_one()
        kept = (await session.execute(text("SELECT count(*) FROM idempotency_keys"))).scalar_one()
    assert row.expires_at - row.created_at == timedelta(seconds=60)
    assert token not in stored
    assert kept == 1  # of the issue: the answer with the code is stored nowhere


async def test_a_department_scans_a_code_and_sees_the_masked_licence(
    client: httpx.AsyncClient,
    market: Caller,
    card: Json,
    show: Callable[[], Awaitable[str]],
    database: Database,
) -> None:
    checked = await client.post("/verifications", json={"code": await show()}, headers=market())
    seen = checked.json()
    assert (checked.status_code, seen["valid"], seen["status"]) == (200, True, "NORMAL")
    assert (seen["identifier"], seen["issuer"]["name"]) == (card["identifier"], "示例市公安局")
    assert (seen["surface"]["姓名"], seen["surface"]["住址"]) == ("王**", "***")
    assert "990101199001010019" not in checked.text
    [use] = await _uses_told(database)
    assert (use["mode"], use["verifier_department_id"]) == (
        "PRESENTED",
        "00000000-0000-7000-8000-0000000000a1",
    )


async def test_the_holder_sees_every_use_and_nobody_else_does(
    client: httpx.AsyncClient,
    market: Caller,
    holder: Caller,
    police: Caller,
    card: Json,
    show: Callable[[], Awaitable[str]],
) -> None:
    await client.post("/verifications", json={"code": await show()}, headers=market())
    await client.post("/verifications", json={"identifier": card["identifier"]}, headers=police())
    await client.post("/verifications/public", json={"code": await show()})
    uses = (await client.get(f"/licences/{card['id']}/uses", headers=holder())).json()["items"]
    assert [(one["mode"], one["purpose_label"], one["verifier"]["department_name"]) for one in uses] == [
        ("PRESENTED", "持证主体亮证", None),
        ("VERIFIED", "核验证照", "示例市公安局"),
        ("PRESENTED", "持证主体亮证", "示例市市场监督管理局"),
    ]
    assert uses[0]["verifier"]["kind"] == "anonymous"
    assert (await client.get(f"/licences/{card['id']}/uses", headers=police())).status_code == 404


async def test_looking_does_not_change_the_version_that_a_decision_rests_on(
    client: httpx.AsyncClient, market: Caller, holder: Caller, card: Json
) -> None:
    await client.post("/verifications", json={"identifier": card["identifier"]}, headers=market())
    assert (await client.get(f"/licences/{card['id']}", headers=holder())).headers["etag"] == '"1"'


async def test_expired_used_and_unknown_codes_have_one_answer(
    client: httpx.AsyncClient, market: Caller, show: Callable[[], Awaitable[str]], database: Database
) -> None:
    used = await show()
    await client.post("/verifications", json={"code": used}, headers=market())
    replaced = await show()
    expired = await show()
    async with database.sessions() as session, session.begin():
        await session.execute(
            update(PresentationCode)
            .where(PresentationCode.used_at.is_(None))
            .values(expires_at=utc_now() - timedelta(seconds=1))
        )
    for code in (used, replaced, expired, "lianban-licence:unknown", "nonsense"):
        answer = await client.post("/verifications", json={"code": code}, headers=market())
        assert (answer.status_code, answer.json()["code"]) == (404, "code_not_valid")
        public = (await client.post("/verifications/public", json={"code": code})).json()
        assert (public["valid"], set(public)) == (False, {"valid", "message", "checked_at"})


async def test_of_scans_at_the_same_moment_exactly_one_succeeds(
    client: httpx.AsyncClient,
    market: Caller,
    police: Caller,
    show: Callable[[], Awaitable[str]],
    database: Database,
) -> None:
    code = await show()
    answers = await asyncio.gather(
        *(
            client.post("/verifications", json={"code": code}, headers=caller())
            for caller in (market, police) * 4
        )
    )
    assert sorted(one.status_code for one in answers) == [200] + [404] * 7
    assert len(await _uses_told(database)) == 1


async def test_a_refreshed_code_ends_the_one_before_it(
    client: httpx.AsyncClient, market: Caller, show: Callable[[], Awaitable[str]]
) -> None:
    first, second = await show(), await show()
    assert (await client.post("/verifications", json={"code": first}, headers=market())).status_code == 404
    assert (await client.post("/verifications", json={"code": second}, headers=market())).status_code == 200


async def test_after_a_revocation_the_very_next_verification_says_so(
    client: httpx.AsyncClient,
    market: Caller,
    police: Caller,
    holder: Caller,
    card: Json,
    show: Callable[[], Awaitable[str]],
) -> None:
    document = (await client.get(f"/licences/{card['id']}/document", headers=holder())).json()
    code = await show()
    await _revoke(client, police, card)
    by_code = (await client.post("/verifications", json={"code": code}, headers=market())).json()
    assert (by_code["valid"], by_code["status"], by_code["status_label"]) == (False, "REVOKED", "撤销")
    identifier = {"identifier": card["identifier"]}
    by_identifier = (await client.post("/verifications", json=identifier, headers=market())).json()
    assert (by_identifier["valid"], by_identifier["status"]) == (False, "REVOKED")
    assert (await client.post("/verifications/public", json=identifier)).json()["valid"] is False
    by_document = (await client.post("/verifications/documents", json=document)).json()
    assert (by_document["authentic"], by_document["valid"]) == (True, False)


async def test_the_same_request_repeated_is_a_new_check(
    client: httpx.AsyncClient, market: Caller, police: Caller, card: Json
) -> None:
    headers, body = market(), {"identifier": card["identifier"]}
    assert (await client.post("/verifications", json=body, headers=headers)).json()["valid"] is True
    await _revoke(client, police, card)
    assert (await client.post("/verifications", json=body, headers=headers)).json()["valid"] is False


async def test_a_licence_that_does_not_hold_cannot_be_shown(
    client: httpx.AsyncClient, police: Caller, holder: Caller, card: Json
) -> None:
    await _revoke(client, police, card)
    answer = await client.post(f"/licences/{card['id']}/present", headers=holder())
    assert (answer.status_code, answer.json()["code"]) == (409, "licence_not_valid")
    assert "撤销" in answer.json()["detail"]


async def test_only_the_holder_or_who_acts_for_it_shows_a_licence(
    client: httpx.AsyncClient,
    issue: Issue,
    business_order: Order,
    card: Json,
    stranger: Caller,
    agent: Caller,
    market: Caller,
) -> None:
    business = await issue(business_order())
    assert (await client.post(f"/licences/{business['id']}/present", headers=agent())).status_code == 201
    for licence, caller in ((card, stranger), (card, agent), (business, stranger), (card, market)):
        answer = await client.post(f"/licences/{licence['id']}/present", headers=caller())
        assert answer.status_code == 404
    assert (await client.post(f"/licences/{card['id']}/present")).status_code == 401


async def test_checking_needs_scope_and_department(
    client: httpx.AsyncClient, token: Callable[..., dict[str, str]], platform: Caller, card: Json
) -> None:
    body = {"identifier": card["identifier"]}
    assert (await client.post("/verifications", json=body)).status_code == 401
    without_scope = token(subject_type="client", sub="x", scope="certificates:licences.issue")
    assert (await client.post("/verifications", json=body, headers=without_scope)).status_code == 403
    answer = await client.post("/verifications", json=body, headers=platform())
    assert (answer.status_code, answer.json()["code"]) == (403, "no_department")


async def test_a_code_refused_for_lack_of_a_department_is_not_used_up(
    client: httpx.AsyncClient, platform: Caller, market: Caller, show: Callable[[], Awaitable[str]]
) -> None:
    code = {"code": await show()}
    assert (await client.post("/verifications", json=code, headers=platform())).status_code == 403
    assert (await client.post("/verifications", json=code, headers=market())).status_code == 200


@pytest.mark.parametrize("body", [{}, {"code": "a", "identifier": "b"}, {"identity": "x"}, {"code": ""}])
async def test_either_a_code_or_an_identifier_is_checked(
    client: httpx.AsyncClient, market: Caller, body: Json
) -> None:
    answer = await client.post("/verifications", json=body, headers=market())
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")


async def test_an_unknown_identifier_is_not_found_and_publicly_invalid(
    client: httpx.AsyncClient, market: Caller
) -> None:
    body = {"identifier": "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U"}
    assert (await client.post("/verifications", json=body, headers=market())).status_code == 404
    assert (await client.post("/verifications/public", json=body)).json()["valid"] is False


async def test_anybody_checks_a_printed_licence_without_leaving_a_use(
    client: httpx.AsyncClient, card: Json, database: Database
) -> None:
    answer = await client.post("/verifications/public", json={"identifier": card["identifier"]})
    assert (answer.json()["valid"], answer.json()["message"]) == (True, "证照有效。")
    assert await _uses_told(database) == []


async def test_a_document_with_fields_left_out_is_authentic_and_a_forged_one_is_not(
    client: httpx.AsyncClient, holder: Caller, card: Json
) -> None:
    answer = await client.get(f"/licences/{card['id']}/document", headers=holder())
    document = str(answer.json()["document"])
    signed, *disclosures, _ = document.split("~")
    assert len(disclosures) >= 3
    foreign = f"{signed}~WyJzYWx0IiwgIuWnk-WQjSIsICLmnY7osLfpm6giXQ~"
    cases = {
        document: (True, True),
        f"{signed}~{disclosures[0]}~": (True, True),
        f"{signed}~": (True, True),
        foreign: (False, False),
    }
    for text_, (authentic, valid) in cases.items():
        checked = (await client.post("/verifications/documents", json={"document": text_})).json()
        assert (checked["authentic"], checked["valid"]) == (authentic, valid)


async def test_what_is_no_document_is_refused(client: httpx.AsyncClient) -> None:
    for text_ in ("nonsense", "a.b.c~", "~~", "eyJ.e30.x~"):
        answer = await client.post("/verifications/documents", json={"document": text_})
        assert (answer.status_code, answer.json()["code"]) == (422, "not_a_licence_document"), text_


async def test_an_unknown_licence_cannot_be_shown(client: httpx.AsyncClient, holder: Caller) -> None:
    assert (await client.post(f"/licences/{new_id()}/present", headers=holder())).status_code == 404
