"""Tickets over HTTP: status, shape, permission."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI

TICKETS = "/hotline/v1/tickets"
BODY = {"kind": "COMPLAINT", "content": "楼下饭店油烟直排，城管不管。", "division": "430304"}
SignIn = Callable[..., dict[str, str]]


class Client:
    """Requests of one caller after the other, with a fresh key each and the current ETag where one is asked for."""

    def __init__(self, http: httpx.AsyncClient, sign_in: SignIn, cast: Any) -> None:
        self.http, self.sign_in, self.cast = http, sign_in, cast

    async def create(self, caller: Any = None, **changes: Any) -> str:
        answer = await self.http.post(
            TICKETS,
            json=BODY | changes,
            headers=self.sign_in(caller or self.cast.wang, "create", "read")
            | {"Idempotency-Key": str(uuid4())},
        )
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])

    async def act(
        self, ticket: str, action: str, caller: Any, scope: str, body: Any = None, etag: str | None = None
    ) -> httpx.Response:
        headers = self.sign_in(caller, scope, "read") | {"Idempotency-Key": str(uuid4())}
        seen = await self.http.get(f"{TICKETS}/{ticket}", headers=headers)
        headers["If-Match"] = etag or seen.headers.get("etag", '"1"')
        return await self.http.post(f"{TICKETS}/{ticket}/{action}", json=body, headers=headers)

    async def dispatch(self, ticket: str) -> httpx.Response:
        return await self.act(
            ticket, "dispatch", self.cast.agent, "dispatch", {"department_id": str(self.cast.urban)}
        )


@pytest.fixture
def client(http: httpx.AsyncClient, sign_in: SignIn, cast: Any) -> Client:
    return Client(http, sign_in, cast)


async def test_a_ticket_is_recorded_with_location_etag_and_label(client: Client) -> None:
    answer = await client.http.post(
        TICKETS,
        json=BODY | {"caller_phone": "19900000001"},
        headers=client.sign_in(client.cast.wang, "create") | {"Idempotency-Key": str(uuid4())},
    )
    ticket = answer.json()
    assert answer.status_code == 201
    assert answer.headers["location"] == f"{TICKETS}/{ticket['id']}"
    assert answer.headers["etag"] == '"1"'
    assert (ticket["status_label"], ticket["kind_label"]) == ("待派单", "投诉")
    assert ticket["caller"] == {"name": None, "phone": "199****0001"}
    assert "19900000001" not in answer.text
    assert "person_id" not in ticket


async def test_a_whole_ticket_over_http(client: Client) -> None:
    cast = client.cast
    ticket = await client.create()
    assert (await client.dispatch(ticket)).json()["department_name"] == "岳塘区城市管理和综合执法局"
    assert (await client.act(ticket, "sign", cast.urban_partner, "handle")).json()["status"] == "SIGNED"
    answered = await client.act(ticket, "answer", cast.urban_clerk, "handle", {"answer": "已整改"})
    assert answered.json()["status"] == "ANSWERED"
    assert (await client.act(ticket, "close", cast.agent, "dispatch")).json()["status"] == "CLOSED"
    called = await client.act(
        ticket, "call-back", cast.agent, "call-back", {"reached": True, "solved": True, "satisfied": True}
    )
    assert called.json()["status_label"] == "已回访"
    history = await client.http.get(f"{TICKETS}/{ticket}/timeline", headers=client.sign_in(cast.wang, "read"))
    assert history.json()["intact"] is True
    assert {one["actor_id"] for one in history.json()["entries"]} == {None}


async def test_strangers_learn_nothing(client: Client) -> None:
    ticket = await client.create()
    await client.dispatch(ticket)
    cast = client.cast
    for stranger in (cast.li, cast.far_agent, cast.housing_clerk):
        headers = client.sign_in(stranger, "read")
        for path in (f"{TICKETS}/{ticket}", f"{TICKETS}/{ticket}/timeline"):
            answer = await client.http.get(path, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (404, "no_such_ticket")
        listed = await client.http.get(TICKETS, headers=headers)
        assert ticket not in [one["id"] for one in listed.json()["items"]]
    refused = await client.act(ticket, "sign", cast.housing_clerk, "handle")
    assert refused.status_code == 404


async def test_nobody_enters_without_a_token_or_the_scope(client: Client, http: httpx.AsyncClient) -> None:
    ticket = await client.create()
    assert (await http.get(TICKETS)).status_code == 401
    assert (await http.post(TICKETS, json=BODY, headers={"Idempotency-Key": "x"})).status_code == 401
    # The citizen's own ticket, but deciding on it is not the citizen's.
    refused = await client.act(ticket, "close", client.cast.wang, "read")
    assert (refused.status_code, refused.json()["code"]) == (403, "insufficient_scope")
    for action, scope in (("close", "dispatch"), ("sign", "handle"), ("call-back", "call-back")):
        body = {"reached": False} if action == "call-back" else None
        answer = await client.act(ticket, action, client.cast.wang, scope, body)
        assert answer.status_code == 404, action  # even with the scope, the object is checked


async def test_each_part_has_its_own_list(client: Client) -> None:
    ticket = await client.create()
    cast = client.cast

    async def listed(caller: Any, query: str = "") -> list[str]:
        answer = await client.http.get(f"{TICKETS}?limit=100{query}", headers=client.sign_in(caller, "read"))
        return [one["id"] for one in answer.json()["items"]]

    assert ticket in await listed(cast.wang)
    assert ticket in await listed(cast.agent, "&status=RECORDED")
    assert ticket not in await listed(cast.urban_clerk)  # not yet theirs
    await client.dispatch(ticket)
    assert ticket in await listed(cast.urban_clerk)
    assert ticket in await listed(cast.urban_partner)
    assert ticket not in await listed(cast.agent, "&status=RECORDED")
    assert ticket not in await listed(cast.agent, "&overdue=true")


async def test_pages_walk_through_a_list_once(client: Client) -> None:
    created = [await client.create(client.cast.li) for _ in range(5)]
    seen: list[str] = []
    link = f"{TICKETS}?limit=2"
    while link:
        page = (await client.http.get(link, headers=client.sign_in(client.cast.li, "read"))).json()
        seen += [one["id"] for one in page["items"]]
        link = page["next"]
    assert seen == created[::-1]


async def test_a_suggestion_names_topic_and_department(client: Client) -> None:
    ticket = await client.create(content="路边摆摊占道经营，城管不管，垃圾遍地，还有违章建筑。")
    answer = await client.http.get(
        f"{TICKETS}/{ticket}/suggestion", headers=client.sign_in(client.cast.agent, "dispatch")
    )
    suggestion = answer.json()
    assert suggestion["topics"][0]["name"] == "城乡建设"
    assert suggestion["departments"][0]["department_id"] == str(client.cast.urban)
    assert {one["name"] for one in suggestion["kinds"]} <= {"COMPLAINT", "HELP", "CONSULT", "REPORT"}
    hidden = await client.http.get(
        f"{TICKETS}/{ticket}/suggestion", headers=client.sign_in(client.cast.far_agent, "dispatch")
    )
    assert hidden.status_code == 404


async def test_deciding_needs_the_current_version_and_a_key(client: Client) -> None:
    ticket = await client.create()
    headers = client.sign_in(client.cast.agent, "dispatch")
    body = {"department_id": str(client.cast.urban)}
    path = f"{TICKETS}/{ticket}/dispatch"
    no_version = await client.http.post(path, json=body, headers=headers | {"Idempotency-Key": "k"})
    no_key = await client.http.post(path, json=body, headers=headers | {"If-Match": '"1"'})
    stale = await client.act(ticket, "dispatch", client.cast.agent, "dispatch", body, etag='"99"')
    assert (no_version.status_code, no_key.status_code, stale.status_code) == (428, 422, 412)


async def test_two_agents_at_once_dispatch_once(client: Client) -> None:
    ticket = await client.create()
    answers = await asyncio.gather(
        *(
            client.http.post(
                f"{TICKETS}/{ticket}/dispatch",
                json={"department_id": str(department)},
                headers=client.sign_in(agent, "dispatch")
                | {"Idempotency-Key": str(uuid4()), "If-Match": '"1"'},
            )
            for agent, department in [
                (client.cast.agent, client.cast.urban),
                (client.cast.other_agent, client.cast.housing),
            ]
        )
    )
    assert sorted(one.status_code for one in answers) == [200, 412]


async def test_the_same_request_twice_records_one_ticket(client: Client) -> None:
    headers = client.sign_in(client.cast.wang, "create") | {"Idempotency-Key": str(uuid4())}
    first = await client.http.post(TICKETS, json=BODY, headers=headers)
    again = await client.http.post(TICKETS, json=BODY, headers=headers)
    assert first.json() == again.json()


async def test_a_caller_is_disclosed_to_the_centre_for_a_purpose(client: Client) -> None:
    ticket = await client.create(client.cast.agent, caller_name="王小麦", caller_phone="19900000001")
    key = {"Idempotency-Key": str(uuid4())}
    answer = await client.http.post(
        f"{TICKETS}/{ticket}/caller-disclosures",
        json={"purpose": "CALL_BACK"},
        headers=client.sign_in(client.cast.agent, "read") | key,
    )
    assert answer.json() == {"name": "王小麦", "phone": "19900000001"}


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"kind": "OTHER"}, "/kind"),
        ({"content": " "}, "/content"),
        ({"division": "99"}, "/division"),
        ({"caller_phone": "call me"}, "/caller_phone"),
        ({"unknown": 1}, "/unknown"),
        ({"case_id": "x"}, "/case_id"),
    ],
)
async def test_bad_input_names_its_field(client: Client, changes: dict[str, Any], pointer: str) -> None:
    answer = await client.http.post(
        TICKETS,
        json=BODY | changes,
        headers=client.sign_in(client.cast.wang, "create") | {"Idempotency-Key": str(uuid4())},
    )
    assert answer.status_code == 422
    assert [one["pointer"] for one in answer.json()["errors"]] == [pointer]


async def test_a_call_back_without_an_answer_is_refused(client: Client) -> None:
    ticket = await client.create()
    for body in ({"reached": True}, {"reached": False, "solved": True, "satisfied": True}):
        answer = await client.act(ticket, "call-back", client.cast.agent, "call-back", body)
        assert answer.status_code == 422


async def test_every_operation_is_described_and_guarded_and_every_body_has_an_example(app: FastAPI) -> None:
    document = app.openapi()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], (method, path)
            assert operation["description"], (method, path)
            assert operation.get("security"), (method, path)
    for name, schema in document["components"]["schemas"].items():
        if name.endswith(("Body", "Create", "Search")):
            assert schema["examples"], name


@pytest.mark.parametrize("raw", ['"\\ud800"', '"a\\u0000b"'])
async def test_text_that_is_no_text_breaks_nothing(client: Client, raw: str) -> None:
    headers = client.sign_in(client.cast.wang, "create") | {"Idempotency-Key": str(uuid4())}
    body = '{"kind": "HELP", "division": "430304", "content": ' + raw + "}"
    answer = await client.http.post(
        TICKETS, content=body, headers=headers | {"Content-Type": "application/json"}
    )
    assert answer.status_code in {201, 422}
