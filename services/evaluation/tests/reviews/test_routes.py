"""Reviews, rectifications and indicators over HTTP: status, shape, permission."""

import asyncio
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import httpx
import pytest
from fastapi import FastAPI

from service_common.clock import utc_now
from service_common.db import Database
from service_common.pages import read_cursor, write_cursor

BASE = "/evaluation/v1"
SignIn = Callable[..., dict[str, str]]


class Client:
    """Requests with a fresh key each and the current ETag where one is asked for."""

    def __init__(
        self, http: httpx.AsyncClient, sign_in: SignIn, cast: Any, database: Database, invite_to: Any
    ) -> None:
        self.http, self.sign_in, self.cast = http, sign_in, cast
        self._database, self._invite_to = database, invite_to

    async def invite(self) -> str:
        async with self._database.sessions() as session, session.begin():
            return str((await self._invite_to(session, self.cast.wang, now=utc_now())).id)

    async def review(self, invitation: str, caller: Any = None, **body: Any) -> httpx.Response:
        headers = self.sign_in(caller or self.cast.wang, "reviews.write")
        return await self.http.post(
            f"{BASE}/reviews",
            json={"invitation_id": invitation, **body},
            headers=headers | {"Idempotency-Key": str(uuid4())},
        )

    async def act(
        self, path: str, caller: Any, *scopes: str, body: Any = None, etag: str | None = None
    ) -> httpx.Response:
        headers = self.sign_in(caller, *scopes, "rectifications.read") | {"Idempotency-Key": str(uuid4())}
        seen = await self.http.get(path.rsplit("/", 1)[0], headers=headers)
        headers["If-Match"] = etag or seen.headers.get("etag", '"1"')
        return await self.http.post(path, json=body, headers=headers)

    async def newest_rectification(self, review_id: str) -> str:
        answer = await self.http.get(
            f"{BASE}/rectifications?limit=100",
            headers=self.sign_in(self.cast.market_clerk, "rectifications.read"),
        )
        return str(next(one["id"] for one in answer.json()["items"] if one["review_id"] == review_id))


@pytest.fixture
def client(http: httpx.AsyncClient, app: FastAPI, sign_in: SignIn, cast: Any, invite_to: Any) -> Client:
    return Client(http, sign_in, cast, app.state.database, invite_to)


async def test_an_invited_person_reviews_and_the_bad_review_is_put_right(client: Client) -> None:
    cast = client.cast
    mine = await client.http.get(
        f"{BASE}/invitations?open_only=true", headers=client.sign_in(cast.wang, "reviews.write")
    )
    assert mine.status_code == 200
    answer = await client.review(
        await client.invite(), grade="DISSATISFIED", reasons=["207"], text="电话19900000001，没有样本"
    )
    review = answer.json()
    assert (answer.status_code, review["grade_label"]) == (201, "不满意")
    assert (review["stars"], review["gb_t_39046"]) == (2, 4)
    assert review["rectification"]["stage"] == "OPENED"
    path = f"{BASE}/rectifications/{await client.newest_rectification(review['id'])}"
    handle = "rectifications.handle"
    assigned = await client.act(f"{path}/assign", cast.market_partner, handle, body={"assignee": "a"})
    assert assigned.json()["stage_label"] == "待联系"
    assert assigned.json()["text"] == "电话＊＊＊，没有样本"
    await client.act(f"{path}/contact", cast.market_clerk, handle, body={"message": "核实中"})
    answered = await client.act(f"{path}/answer", cast.market_clerk, handle, body={"answer": "已补充样本"})
    assert answered.json()["stage"] == "ANSWERED"
    own = client.sign_in(cast.wang, "reviews.write")
    judged = await client.http.post(
        f"{BASE}/reviews/{review['id']}/re-review",
        json={"satisfied": True},
        headers=own | {"Idempotency-Key": str(uuid4())},
    )
    assert judged.json()["rectification"] == {
        "stage": "ANSWERED",
        "rectify_due_at": review["rectification"]["rectify_due_at"],
        "message": "核实中",
        "answer": "已补充样本",
        "satisfied": True,
    }
    closed = await client.act(
        f"{path}/close", cast.supervisor, "rectifications.supervise", body={"outcome": "RECTIFIED"}
    )
    assert closed.json()["outcome"] == "RECTIFIED"
    history = await client.http.get(
        f"{path}/timeline", headers=client.sign_in(cast.market_clerk, "rectifications.read")
    )
    assert history.json()["intact"] is True
    assert [one["actor_id"] for one in history.json()["entries"] if one["actor_kind"] == "reviewer"] == [None]
    # Nothing that the department can fetch leads to the reviewer or to the case.
    for seen in (closed, history):
        assert cast.wang.subject_id not in seen.text
        assert review["contact_id"] not in seen.text
        assert review["invitation_id"] not in seen.text


@pytest.mark.parametrize(("coding", "code"), [("STARS", 5), ("GB_T_39046", 1)])
async def test_both_codings_are_understood_at_the_border(client: Client, coding: str, code: int) -> None:
    answer = await client.review(await client.invite(), grade_code={"coding": coding, "code": code})
    assert answer.status_code == 201, answer.text
    assert answer.json()["grade"] == "VERY_SATISFIED"


async def test_the_same_number_means_the_opposite_in_the_other_coding(client: Client) -> None:
    answer = await client.review(await client.invite(), grade_code={"coding": "GB_T_39046", "code": 5})
    assert answer.json()["grade"] == "VERY_DISSATISFIED"


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"grade": "SATISFIED", "grade_code": {"coding": "STARS", "code": 4}},
        {"grade": "EXCELLENT"},
        {"grade_code": {"coding": "STARS", "code": 6}},
        {"grade": "SATISFIED", "reasons": ["513"]},
        {"grade": "SATISFIED", "reasons": ["406", "406"]},
        {"grade": "SATISFIED", "reasons": ["abc"]},
        {"grade": "SATISFIED", "unknown": 1},
    ],
)
async def test_bad_reviews_of_form_are_refused_and_change_nothing(
    client: Client, body: dict[str, Any]
) -> None:
    invitation = await client.invite()
    refused = await client.review(invitation, **body)
    assert refused.status_code == 422
    assert refused.json()["errors"]
    assert (await client.review(invitation, grade="SATISFIED")).status_code == 201


async def test_a_second_review_is_a_conflict(client: Client) -> None:
    invitation = await client.invite()
    await client.review(invitation, grade="SATISFIED")
    again = await client.review(invitation, grade="VERY_SATISFIED")
    assert (again.status_code, again.json()["code"]) == (409, "already_reviewed")


async def test_two_clicks_at_the_same_moment_are_one_review(client: Client) -> None:
    invitation = await client.invite()
    answers = await asyncio.gather(*(client.review(invitation, grade="SATISFIED") for _ in range(4)))
    assert sorted(one.status_code for one in answers) == [201, 409, 409, 409]


async def test_others_neither_review_nor_read_it(client: Client) -> None:
    invitation = await client.invite()
    assert (await client.review(invitation, client.cast.li, grade="SATISFIED")).status_code == 404
    staff = await client.review(invitation, client.cast.market_clerk, grade="SATISFIED")
    assert (staff.status_code, staff.json()["code"]) == (403, "not_a_person")
    review = (await client.review(invitation, grade="DISSATISFIED")).json()["id"]
    li = client.sign_in(client.cast.li, "reviews.write")
    assert (await client.http.get(f"{BASE}/reviews/{review}", headers=li)).status_code == 404
    listed = await client.http.get(f"{BASE}/reviews", headers=li)
    assert listed.json()["items"] == []
    path = f"{BASE}/rectifications/{await client.newest_rectification(review)}"
    for stranger in (client.cast.health_clerk, client.cast.far_supervisor, client.cast.li):
        headers = client.sign_in(stranger, "rectifications.read")
        for one in (path, f"{path}/timeline"):
            assert (await client.http.get(one, headers=headers)).status_code == 404


async def test_nobody_enters_without_a_token_or_the_scope(client: Client, http: httpx.AsyncClient) -> None:
    for path in ("invitations", "reviews", "rectifications"):
        assert (await http.get(f"{BASE}/{path}")).status_code == 401
        wrong = client.sign_in(client.cast.wang, "something.else")
        assert (await http.get(f"{BASE}/{path}", headers=wrong)).status_code == 403


async def test_a_department_does_not_close_its_own_rectification(client: Client) -> None:
    review = (await client.review(await client.invite(), grade="DISSATISFIED")).json()["id"]
    path = f"{BASE}/rectifications/{await client.newest_rectification(review)}"
    scope = "rectifications.handle"
    refused = await client.act(
        f"{path}/close", client.cast.market_clerk, scope, body={"outcome": "EXPLAINED"}
    )
    assert (refused.status_code, refused.json()["code"]) == (403, "insufficient_scope")


async def test_a_step_needs_the_current_version(client: Client) -> None:
    review = (await client.review(await client.invite(), grade="DISSATISFIED")).json()["id"]
    path = f"{BASE}/rectifications/{await client.newest_rectification(review)}/assign"
    headers = client.sign_in(client.cast.market_clerk, "rectifications.handle") | {"Idempotency-Key": "k1"}
    assert (await client.http.post(path, json={"assignee": "a"}, headers=headers)).status_code == 428
    stale = await client.act(
        path, client.cast.market_clerk, "rectifications.handle", body={"assignee": "a"}, etag='"99"'
    )
    assert stale.status_code == 412


async def test_indicators_and_published_reviews_are_open_to_everybody(client: Client) -> None:
    await client.review(await client.invite(), grade="VERY_SATISFIED", text="我叫王小麦，电话19900000001")
    answer = await client.http.get(f"{BASE}/indicators?by=DEPARTMENT&key={client.cast.market}")
    (figures,) = answer.json()["items"]
    assert figures["reviews"] == figures["good"] + figures["bad"] >= 1
    assert 0 < figures["active_review_rate"] <= 1
    published = await client.http.get(f"{BASE}/published-reviews?department_id={client.cast.market}")
    assert "19900000001" not in published.text
    assert client.cast.wang.subject_id not in published.text
    first = published.json()["items"][0]
    assert not {"contact_id", "invitation_id", "created_at"} & set(first)


async def test_a_published_review_and_its_place_in_the_list_tell_no_instant(client: Client) -> None:
    own = set()
    for _ in range(3):
        own.add((await client.review(await client.invite(), grade="SATISFIED")).json()["id"])
    link, seen, places = f"{BASE}/published-reviews?limit=1&department_id={client.cast.market}", [], []
    while link:
        page = (await client.http.get(link)).json()
        seen += [UUID(one["id"]) for one in page["items"]]
        link = page.get("next")
        places += parse_qs(urlsplit(link or "").query).get("cursor", [])
    assert len(seen) == len(set(seen)) >= 3
    assert {one.version for one in seen} == {
        4
    }  # random to whoever reads it; the review's own counts milliseconds
    for place in places:
        (told,) = read_cursor(place, str)
        assert told not in own
    forged = write_cursor((own.pop(),))
    answer = await client.http.get(f"{BASE}/published-reviews?cursor={forged}")
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_cursor")


async def test_the_options_list_every_grade_with_its_reasons(http: httpx.AsyncClient) -> None:
    options = (await http.get(f"{BASE}/review-options")).json()
    assert [(one["grade_label"], one["stars"], one["gb_t_39046"]) for one in options] == [
        ("非常满意", 5, 1),
        ("满意", 4, 2),
        ("基本满意", 3, 3),
        ("不满意", 2, 4),
        ("非常不满意", 1, 5),
    ]
    assert all(len(one["reasons"]) == 8 for one in options)


async def test_a_month_that_is_none_is_refused(http: httpx.AsyncClient) -> None:
    assert (await http.get(f"{BASE}/indicators?first_period=2026-13")).status_code == 422


async def test_every_operation_is_described_and_every_body_has_an_example(app: FastAPI) -> None:
    document = app.openapi()
    public = set()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            assert operation["summary"], (method, path)
            assert operation["description"], (method, path)
            if not operation.get("security"):
                public.add(path.removeprefix(BASE))
    assert public == {"/review-options", "/published-reviews", "/indicators"}
    for name, schema in document["components"]["schemas"].items():
        if name.endswith(("Body", "Create")):
            assert schema["examples"], name
