"""Applications over HTTP: shapes, permissions, repetition, and what strangers may not know."""

import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest

ITEM = "HN-430300-002014006001-02"
BASE = "/acceptance/v1/applications"
WRITE = "acceptance:applications.write acceptance:applications.read acceptance:files.write acceptance:history.read"


class Desk:
    """A caller with a token, as their app would call."""

    def __init__(self, client: httpx.AsyncClient, token: str, person_id: str) -> None:
        self.client = client
        self.person_id = person_id
        self.headers = {"Authorization": f"Bearer {token}"}

    async def get(self, path: str, **facts: Any) -> httpx.Response:
        return await self.client.get(path, headers=self.headers, **facts)

    async def post(self, path: str, body: Any = None, *, key: str | None = None) -> httpx.Response:
        headers = self.headers | {"Idempotency-Key": key or str(uuid.uuid4())}
        return await self.client.post(path, json=body, headers=headers)

    async def put(self, path: str, body: Any) -> httpx.Response:
        return await self.client.put(path, json=body, headers=self.headers)

    async def begin(self, **facts: Any) -> httpx.Response:
        applicant = {"kind": "NATURAL_PERSON", "id": self.person_id}
        return await self.post(BASE, {"item_code": ITEM, "applicant": applicant} | facts)


@pytest.fixture
def desk_of(office: Any, token: Callable[..., str]) -> Callable[..., Desk]:
    def make(scope: str = WRITE, **claims: Any) -> Desk:
        person_id = claims.pop("sub", str(uuid.uuid4()))
        return Desk(office.client(), token(sub=person_id, scope=scope, **claims), person_id)

    return make


def form() -> dict[str, Any]:
    return {"form": {"last_employer": "示例公司"}}


async def test_a_draft_tells_what_its_plan_asks(desk_of: Callable[..., Desk]) -> None:
    answer = await desk_of().begin()
    assert answer.status_code == 201
    body = answer.json()
    assert (body["status"], body["status_label"], body["item_codes"]) == ("DRAFT", "暂存", [ITEM])
    assert answer.headers["etag"] == f'"{body["version"]}"'
    assert answer.headers["location"].endswith(body["id"])


@pytest.mark.parametrize("scope", ["", "acceptance:cases.decide"])
async def test_without_the_scope_nothing_is_begun(desk_of: Callable[..., Desk], scope: str) -> None:
    answer = await desk_of(scope).begin()
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")


async def test_staff_do_not_apply_as_persons(desk_of: Callable[..., Desk]) -> None:
    assert (await desk_of(subject_type="staff").begin()).status_code == 403


async def test_a_bundle_or_an_item_and_not_both(desk_of: Callable[..., Desk]) -> None:
    answer = await desk_of().begin(bundle_code="43TCP0018")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_input")


async def test_a_post_without_a_key_is_refused(desk_of: Callable[..., Desk]) -> None:
    citizen = desk_of()
    answer = await citizen.client.post(BASE, json={}, headers=citizen.headers)
    assert answer.status_code == 422


async def test_citizen_b_does_not_learn_of_citizen_as_application(desk_of: Callable[..., Desk]) -> None:
    application = (await desk_of().begin()).json()["id"]
    stranger = desk_of()
    answers = [
        await stranger.get(f"{BASE}/{application}"),
        await stranger.get(f"{BASE}/{application}/timeline"),
        await stranger.get(f"{BASE}/{application}/accesses"),
        await stranger.get(f"{BASE}/{application}/prefill"),
        await stranger.put(f"{BASE}/{application}/form", form()),
        await stranger.post(f"{BASE}/{application}/submit"),
        await stranger.post(f"{BASE}/{application}/withdraw"),
    ]
    assert [(one.status_code, one.json()["code"]) for one in answers] == [(404, "no_such_application")] * 7


async def test_an_agent_works_on_what_a_colleague_began_for_their_company(
    desk_of: Callable[..., Desk],
) -> None:
    company = str(uuid.uuid4())
    first, second = desk_of(represents=[company]), desk_of(represents=[company])
    applicant = {"kind": "LEGAL_PERSON", "id": company}
    application = (await first.begin(applicant=applicant)).json()["id"]
    assert (await second.put(f"{BASE}/{application}/form", form())).status_code == 200
    assert [one["id"] for one in (await second.get(BASE)).json()["items"]] == [application]


async def test_the_same_request_twice_makes_one_application(desk_of: Callable[..., Desk]) -> None:
    citizen = desk_of()
    body = {"item_code": ITEM, "applicant": {"kind": "NATURAL_PERSON", "id": citizen.person_id}}
    first = await citizen.post(BASE, body, key="one")
    again = await citizen.post(BASE, body, key="one")
    assert first.json() == again.json()
    assert again.headers["idempotency-replayed"] == "true"
    other = await citizen.post(BASE, body | {"in_addition": True}, key="one")
    assert other.json()["code"] == "idempotency_key_reused"


async def test_a_second_open_application_is_a_conflict(desk_of: Callable[..., Desk]) -> None:
    citizen = desk_of()
    await citizen.begin()
    answer = await citizen.begin()
    assert (answer.status_code, answer.json()["code"]) == (409, "open_application_exists")
    assert (await citizen.begin(in_addition=True)).status_code == 201


async def test_an_unknown_form_field_is_named_by_pointer_without_its_value(
    desk_of: Callable[..., Desk],
) -> None:
    citizen = desk_of()
    application = (await citizen.begin()).json()["id"]
    answer = await citizen.put(f"{BASE}/{application}/form", {"form": {"id_card": "990101199003070015"}})
    assert answer.status_code == 422
    assert [one["pointer"] for one in answer.json()["errors"]] == ["/id_card"]
    assert "990101199003070015" not in answer.text


async def test_a_low_trust_level_is_told_what_it_lacks(office: Any, desk_of: Callable[..., Desk]) -> None:
    person = office.citizen(level=1)
    application, plan = await office.draft(person, item=ITEM)
    await office.fill(application, plan, person)
    await office.session.commit()
    citizen = desk_of(sub=person.subject_id, acr="urn:lianban:loa:1")
    answer = await citizen.post(f"{BASE}/{application.id}/submit")
    assert answer.status_code == 401  # RFC 9470 §3: the log-in does not suffice, another one would
    challenge = answer.headers["www-authenticate"]
    assert 'error="insufficient_user_authentication"' in challenge
    assert 'acr_values="urn:lianban:loa:2"' in challenge


async def test_the_receipt_shows_the_password_once_even_when_asked_twice(
    office: Any, desk_of: Callable[..., Desk]
) -> None:
    person = office.citizen()
    application, plan = await office.draft(person, item=ITEM)
    await office.fill(application, plan, person)
    await office.session.commit()
    citizen = desk_of(sub=person.subject_id)
    receipt = await citizen.post(f"{BASE}/{application.id}/submit", key="submit")
    assert receipt.status_code == 201
    # The same key gives the same receipt: the app whose connection broke still gets its numbers.
    assert (await citizen.post(f"{BASE}/{application.id}/submit", key="submit")).json() == receipt.json()
    again = await citizen.post(f"{BASE}/{application.id}/submit")
    assert (again.status_code, again.json()["code"]) == (409, "application_not_draft")
    read = await citizen.get(f"{BASE}/{application.id}")
    assert receipt.json()["query_password"] not in read.text
    numbers = {
        "query_number": receipt.json()["query_number"],
        "query_password": receipt.json()["query_password"],
    }
    async with office.client() as anonymous:
        progress = await anonymous.post("/acceptance/v1/progress", json=numbers)
    assert progress.status_code == 200
    assert progress.json()["cases"][0]["status_label"] == "已提交"
    assert person.subject_id not in progress.text


async def test_a_timeline_is_shown_intact(desk_of: Callable[..., Desk]) -> None:
    citizen = desk_of()
    application = (await citizen.begin()).json()["id"]
    shown = (await citizen.get(f"{BASE}/{application}/timeline")).json()
    assert shown["intact"] is True
    assert [one["action"] for one in shown["entries"]] == ["DRAFTED"]


async def test_pages_follow_one_another_newest_first(desk_of: Callable[..., Desk]) -> None:
    citizen = desk_of()
    made = [(await citizen.begin(in_addition=True)).json()["id"] for _ in range(5)]
    first = (await citizen.get(BASE, params={"limit": 2})).json()
    seen = [one["id"] for one in first["items"]]
    link = first["next"]
    while link:
        page = (await citizen.get(link)).json()
        seen += [one["id"] for one in page["items"]]
        link = page.get("next")
    assert seen == made[::-1]
    assert (await citizen.get(BASE, params={"cursor": "last-year"})).json()["code"] == "bad_cursor"


async def upload(citizen: Desk, content: bytes, key: str = "u1") -> httpx.Response:
    return await citizen.client.post(
        "/acceptance/v1/files",
        files={"file": ("C:\\tmp\\图纸.pdf", content, "text/plain")},
        headers=citizen.headers | {"Idempotency-Key": key},
    )


async def test_an_upload_is_attached_and_comes_back_by_a_link(desk_of: Callable[..., Desk]) -> None:
    citizen = desk_of()
    content = b"%PDF-1.7\n" + b"x" * 70_000
    sent = await upload(citizen, content)
    assert sent.status_code == 201
    assert (sent.json()["name"], sent.json()["media_type"]) == ("图纸.pdf", "application/pdf")
    application = (await citizen.begin()).json()
    code = application["material_codes"][0]
    path = f"{BASE}/{application['id']}/materials/{code}"
    attached = await citizen.put(path, {"way": "FILES", "file_ids": [sent.json()["id"]]})
    assert attached.json()["provision"] == "FILES"
    link = await citizen.post(f"{BASE}/{application['id']}/files/{sent.json()['id']}/link")
    back = await citizen.client.get(link.json()["path"])
    assert back.content == content
    assert back.headers["content-disposition"].startswith("attachment")


async def test_an_upload_without_a_file_is_refused(desk_of: Callable[..., Desk]) -> None:
    citizen = desk_of()
    answer = await citizen.client.post(
        "/acceptance/v1/files",
        files={"other": ("a", b"x")},
        headers=citizen.headers | {"Idempotency-Key": "u"},
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "file_empty")


async def test_an_upload_with_an_endless_boundary_is_refused(desk_of: Callable[..., Desk]) -> None:
    citizen = desk_of()
    answer = await citizen.client.post(
        "/acceptance/v1/files",
        content=b"x",
        headers=citizen.headers
        | {"Idempotency-Key": "u", "Content-Type": f"multipart/form-data; boundary={'x' * 400}"},
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "file_empty")


@pytest.mark.parametrize(
    ("form", "code"),
    [
        (rb'{"\ud800": "x"}', "form_invalid"),
        (rb'{"last_employer": "\ud800\ud800\ud800"}', "unstorable_character"),
    ],
)
async def test_half_a_surrogate_pair_in_a_form_is_refused_in_a_readable_problem(
    desk_of: Callable[..., Desk], form: bytes, code: str
) -> None:
    citizen = desk_of()
    application = (await citizen.begin()).json()["id"]
    answer = await citizen.client.put(
        f"{BASE}/{application}/form",
        content=rb'{"form": ' + form + rb"}",
        headers=citizen.headers | {"Content-Type": "application/json"},
    )
    assert (answer.status_code, answer.json()["code"]) == (422, code)


async def test_an_upload_beyond_the_limit_is_refused(desk_of: Callable[..., Desk]) -> None:
    answer = await upload(desk_of(), b"%PDF-1.7\n" + b"x" * 1_200_000)
    assert (answer.status_code, answer.json()["code"]) == (422, "file_too_large")


async def test_prefill_is_answered_although_no_peer_is_there(
    office: Any, desk_of: Callable[..., Desk]
) -> None:
    office.app.state.identity.away = office.app.state.certificates.away = True
    citizen = desk_of()
    application = (await citizen.begin()).json()["id"]
    answer = await citizen.get(f"{BASE}/{application}/prefill")
    assert answer.status_code == 200
    assert answer.json()["unavailable"]
