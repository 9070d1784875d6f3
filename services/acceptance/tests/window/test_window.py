"""At the window: a proof of presence, one sitting about one application, and the same rules as online."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from joserfc import jwt

from acceptance_service.cases.handlers import intake
from lianban_local.testing.services import TestIssuer
from service_common import timeline
from service_common.presence import TOKEN_TYPE, Presence, PresenceMethod

WINDOW = "/acceptance/v1/window"
TAKEN_IN = f"{WINDOW}/applications"
APPLICATIONS = "/acceptance/v1/applications"
ITEM = "HN-430300-000123020000-01"  # asks for papers
PROMISE_ITEM = "HN-430300-000123020000-06"  # on a promise
PENSION_ITEM = "HN-430300-002014006001-02"  # asks for little
CITY, DISTRICT, PROVINCE, ELSEWHERE = "430300000000", "430302000000", "430000000000", "430200000000"
STORE = "43TCP0018"
PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n"


@dataclass(frozen=True)
class Desk:
    """Somebody with a token, as their program calls."""

    client: httpx.AsyncClient
    subject_id: uuid.UUID
    department_id: uuid.UUID | None
    division: str
    token: str

    async def ask(
        self, method: str, path: str, body: Any = None, *, key: str | None = None
    ) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": key or str(uuid.uuid4())}
        return await self.client.request(method, path, json=body, headers=headers)

    async def upload(self) -> str:
        headers = {"Authorization": f"Bearer {self.token}", "Idempotency-Key": str(uuid.uuid4())}
        files = {"file": ("材料.pdf", PDF + uuid.uuid4().bytes, "application/pdf")}
        answer = await self.client.post("/acceptance/v1/files", files=files, headers=headers)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["id"])


class Hall:
    """A window with its clerk, and the people who come to it."""

    def __init__(self, office: Any, token: Callable[..., str], issuer: TestIssuer) -> None:
        self.office, self._token, self._issuer = office, token, issuer
        self.department_id = uuid.uuid4()
        self.clerk = self.colleague()

    def colleague(self, department_id: uuid.UUID | None = None, division: str = CITY) -> Desk:
        staff_id, department_id = uuid.uuid4(), department_id or self.department_id
        token = self._token(
            sub=str(staff_id),
            subject_type="staff",
            roles=["clerk"],
            department_id=str(department_id),
            division=division,
            scope="acceptance:window.intake acceptance:files.write",
        )
        return Desk(self.office.client(), staff_id, department_id, division, token)

    def person(self, person_id: uuid.UUID) -> Desk:
        scope = "acceptance:applications.read acceptance:applications.write acceptance:history.read"
        token = self._token(sub=str(person_id), scope=scope)
        return Desk(self.office.client(), person_id, None, CITY, token)

    def proof(
        self, person_id: uuid.UUID, clerk: Desk | None = None, *, kind: str = TOKEN_TYPE, **changes: Any
    ) -> str:
        """As identity signs it."""
        clerk = clerk or self.clerk
        assert clerk.department_id is not None
        presence = Presence(
            id=uuid.uuid4(),
            person_id=person_id,
            legal_person_id=None,
            trust_level=3,
            method=PresenceMethod.IDENTITY_CODE,
            staff_id=clerk.subject_id,
            department_id=clerk.department_id,
            division=clerk.division,
            expires_at=self.office.now + timedelta(minutes=10),
        )
        claims = {
            "iss": self._issuer.url,
            "aud": "urn:lianban:acceptance",
            **replace(presence, **changes).claims(),
        }
        key = self._issuer.key
        return jwt.encode({"alg": "ES256", "kid": key.kid, "typ": kind}, claims, key)

    async def begin(
        self, person_id: uuid.UUID, clerk: Desk | None = None, *, item: str = PENSION_ITEM, **more: Any
    ) -> httpx.Response:
        clerk = clerk or self.clerk
        body = {"presence": self.proof(person_id, clerk), "item_code": item, **more}
        return await clerk.ask("POST", TAKEN_IN, body)

    async def taken_in(self, person_id: uuid.UUID, item: str = PENSION_ITEM, **more: Any) -> dict[str, Any]:
        """A complete application, handed in at the window: the receipt."""
        draft = await self.begin(person_id, item=item, **more)
        assert draft.status_code == 201, draft.text
        await self.complete(draft.json()["id"])
        receipt = await self.clerk.ask("POST", f"{TAKEN_IN}/{draft.json()['id']}/submit")
        assert receipt.status_code == 201, receipt.text
        return dict(receipt.json())

    async def complete(self, application_id: str) -> None:
        """Whatever the notice says is lacking, provided."""
        base = f"{TAKEN_IN}/{application_id}"
        notice = await self.clerk.ask("POST", f"{base}/notices")
        assert notice.status_code == 201, notice.text
        for one in notice.json()["lacking"]:
            if one["pointer"].startswith("/materials/"):
                given = {"way": "FILES", "file_ids": [await self.clerk.upload()]}
                answer = await self.clerk.ask("PUT", f"{base}{one['pointer']}", given)
                assert answer.status_code == 200, answer.text
        known = (await self.clerk.ask("GET", f"{base}/prefill")).json()["fields"]
        form = await self.office.plan_form(application_id)
        fields = form | {name: one["value"] for name, one in known.items()}
        saved = await self.clerk.ask("PUT", f"{base}/form", {"form": fields})
        assert saved.status_code == 200, saved.text


@pytest.fixture
def hall(office: Any, token: Callable[..., str], issuer: TestIssuer) -> Hall:
    return Hall(office, token, issuer)


async def test_what_a_clerk_takes_in_is_the_applicants_as_if_handed_in_online(hall: Hall) -> None:
    person = uuid.uuid4()
    receipt = await hall.taken_in(person, ITEM)
    assert len(receipt["query_password"]) == 6
    row = receipt["application"]
    assert (row["applicant_id"], row["submitted_by"]) == (str(person), str(person))
    assert (row["channel"], row["channel_label"]) == ("WINDOW", "窗口受理")
    assert (row["taken_in_by"], row["window_department_id"]) == (
        str(hall.clerk.subject_id),
        str(hall.department_id),
    )
    own = (await hall.person(person).ask("GET", APPLICATIONS)).json()["items"]
    assert [one["id"] for one in own] == [row["id"]]
    application_id = uuid.UUID(row["id"])
    (submitted,) = await hall.office.events(application_id)
    told = submitted["data"]
    assert (told["submitted_by"], told["taken_in_by"]) == (str(person), str(hall.clerk.subject_id))
    assert (told["channel"], told["window_department_id"]) == ("WINDOW", str(hall.department_id))
    case_id = uuid.UUID(receipt["cases"][0]["id"])
    (case_event,) = await hall.office.events(case_id)
    assert case_event["data"]["submitted_by"] == str(
        person
    )  # whom messages and the invitation to review reach
    entries = await timeline.read(hall.office.session, application_id)
    assert timeline.verify(entries)
    assert [one.action for one in entries] == [
        "DRAFTED",
        "PRESENT_AT_WINDOW",
        "TOLD_WHAT_LACKS",
        "SUBMITTED",
    ]
    handed_in = entries[-1]
    assert (handed_in.actor_kind, handed_in.actor_id) == ("staff", str(hall.clerk.subject_id))
    assert handed_in.facts["on_behalf_of"] == str(person)


async def test_a_bundle_is_taken_in_for_a_company_with_all_its_cases(hall: Hall) -> None:
    person, company = uuid.uuid4(), uuid.uuid4()
    asked = (await hall.clerk.ask("GET", f"/acceptance/v1/bundles/{STORE}/questions")).json()["questions"]
    questions = {one["code"]: one for one in asked}
    proof = hall.proof(person, legal_person_id=company)
    begun = await hall.clerk.ask(
        "POST", TAKEN_IN, {"presence": proof, "bundle_code": STORE, "division": CITY}
    )
    draft, answers = begun.json(), {}
    base = f"{TAKEN_IN}/{draft['id']}"
    while draft["questions_unanswered"]:
        question = questions[draft["questions_unanswered"][0]]
        first = question["options"][0]["value"]
        answers[question["code"]] = [first] if question["kind"] == "MULTI" else first
        draft = (await hall.clerk.ask("PATCH", base, {"answers": answers})).json()
    signed = {"promises": draft["promises_offered"], "signed_paper": await hall.clerk.upload()}
    draft = (await hall.clerk.ask("PATCH", base, signed)).json()
    await hall.complete(draft["id"])
    handed_in = await hall.clerk.ask("POST", f"{base}/submit")
    assert handed_in.status_code == 201, handed_in.text
    receipt = handed_in.json()
    assert len(receipt["cases"]) == len(draft["item_codes"]) > 1
    assert receipt["application"]["applicant_id"] == str(company)
    told = [one for case in receipt["cases"] for one in await hall.office.events(uuid.UUID(case["id"]))]
    assert told
    assert {one["data"]["submitted_by"] for one in told} == {str(person)}


async def test_the_notice_says_at_once_what_a_hand_in_would_refuse(hall: Hall) -> None:
    draft = (await hall.begin(uuid.uuid4(), item=ITEM)).json()
    base = f"{TAKEN_IN}/{draft['id']}"
    notice = (await hall.clerk.ask("POST", f"{base}/notices")).json()
    refused = await hall.clerk.ask("POST", f"{base}/submit")
    assert refused.json()["code"] == "submission_incomplete"
    assert len(notice["lacking"]) > 1
    assert notice["lacking"] == refused.json()["errors"]


async def test_the_notice_names_what_contradicts_the_verified_profile_too(hall: Hall) -> None:
    draft = (await hall.begin(uuid.uuid4(), item=ITEM)).json()
    await hall.complete(draft["id"])
    base = f"{TAKEN_IN}/{draft['id']}"
    assert (await hall.clerk.ask("POST", f"{base}/notices")).json()["lacking"] == []
    view = (await hall.clerk.ask("GET", base)).json()
    known = (await hall.clerk.ask("GET", f"{base}/prefill")).json()["fields"]
    locked = {name: "别人" for name, one in known.items() if one["source"] == "identity.person.name"}
    assert locked
    await hall.clerk.ask("PUT", f"{base}/form", {"form": view["form"] | locked})
    lacking = (await hall.clerk.ask("POST", f"{base}/notices")).json()["lacking"]
    assert {one["pointer"] for one in lacking} == {f"/form/{name}" for name in locked}


async def test_a_proof_is_good_once_and_here_alone(hall: Hall) -> None:
    person = uuid.uuid4()
    proof = hall.proof(person)
    body = {"presence": proof, "item_code": PENSION_ITEM}
    assert (await hall.clerk.ask("POST", TAKEN_IN, body)).status_code == 201
    again = await hall.clerk.ask("POST", TAKEN_IN, body | {"item_code": ITEM})
    assert (again.status_code, again.json()["code"]) == (422, "presence_not_valid")
    own = (await hall.person(person).ask("GET", APPLICATIONS)).json()["items"]
    assert [one["subject_code"] for one in own] == [PENSION_ITEM]


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"department_id": uuid.uuid4()}, 403, "presence_elsewhere"),
        ({"division": ELSEWHERE}, 403, "presence_elsewhere"),
        ({"expires_at": timedelta(0)}, 422, "presence_not_valid"),
        ({"kind": "at+jwt"}, 422, "presence_not_valid"),
    ],
)
async def test_a_proof_of_another_counter_or_time_or_kind_opens_nothing(
    hall: Hall, changes: dict[str, Any], status: int, code: str
) -> None:
    if "expires_at" in changes:
        changes = {"expires_at": hall.office.now + changes["expires_at"]}
    person = uuid.uuid4()
    body = {"presence": hall.proof(person, **changes), "item_code": PENSION_ITEM}
    answer = await hall.clerk.ask("POST", TAKEN_IN, body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert (await hall.person(person).ask("GET", APPLICATIONS)).json()["items"] == []


async def test_without_a_proof_an_id_is_worth_nothing(hall: Hall) -> None:
    applicant = {"kind": "NATURAL_PERSON", "id": str(uuid.uuid4())}
    named = await hall.clerk.ask("POST", TAKEN_IN, {"item_code": PENSION_ITEM, "applicant": applicant})
    assert named.status_code == 422
    token = await hall.clerk.ask("POST", TAKEN_IN, {"item_code": PENSION_ITEM, "presence": hall.clerk.token})
    assert token.json()["code"] == "presence_not_valid"


async def test_a_hall_sees_what_it_took_in_and_no_other_does(hall: Hall) -> None:
    draft = (await hall.begin(uuid.uuid4())).json()
    colleague = hall.colleague()
    strangers = [
        hall.colleague(uuid.uuid4()),
        hall.colleague(hall.department_id, DISTRICT),
    ]
    assert [one["id"] for one in (await colleague.ask("GET", TAKEN_IN)).json()["items"]] == [draft["id"]]
    assert (await colleague.ask("GET", f"{TAKEN_IN}/{draft['id']}")).status_code == 200
    for stranger in strangers:
        assert (await stranger.ask("GET", TAKEN_IN)).json()["items"] == []
        for method, path in (("GET", ""), ("GET", "/prefill"), ("POST", "/submit"), ("POST", "/withdraw")):
            answer = await stranger.ask(method, f"{TAKEN_IN}/{draft['id']}{path}")
            assert (answer.status_code, answer.json()["code"]) == (404, "no_such_application")


async def test_who_looked_is_told_to_the_applicant(hall: Hall) -> None:
    person = uuid.uuid4()
    draft = (await hall.begin(person)).json()
    await hall.clerk.ask("GET", f"{TAKEN_IN}/{draft['id']}")
    (look,) = (await hall.person(person).ask("GET", f"{APPLICATIONS}/{draft['id']}/accesses")).json()["items"]
    assert (look["what"], look["actor_kind"], look["case_id"]) == ("WINDOW_FORM", "staff", None)
    assert look["department_id"] == str(hall.department_id)


async def test_a_sitting_ends_with_its_time_and_a_new_proof_of_the_same_person_opens_another(
    hall: Hall,
) -> None:
    person = uuid.uuid4()
    draft = (await hall.begin(person)).json()
    base = f"{TAKEN_IN}/{draft['id']}"
    hall.office.later(minutes=120)
    over = await hall.clerk.ask("PUT", f"{base}/form", {"form": {}})
    assert (over.status_code, over.json()["code"]) == (409, "sitting_over")
    for other, status in ((uuid.uuid4(), 404), (person, 201)):
        body = {"presence": hall.proof(other), "application_id": draft["id"]}
        assert (await hall.clerk.ask("POST", f"{WINDOW}/sittings", body)).status_code == status
    assert (await hall.clerk.ask("PUT", f"{base}/form", {"form": {}})).status_code == 200


async def test_the_hand_in_ends_the_sitting_and_its_repetition_gives_the_same_receipt(hall: Hall) -> None:
    draft = (await hall.begin(uuid.uuid4())).json()
    await hall.complete(draft["id"])
    path = f"{TAKEN_IN}/{draft['id']}/submit"
    first, again = [await hall.clerk.ask("POST", path, key="one") for _ in range(2)]
    assert (first.status_code, again.json()) == (201, first.json())
    assert again.headers["Idempotency-Replayed"] == "true"
    assert (await hall.clerk.ask("POST", path)).json()["code"] == "sitting_over"
    assert (await hall.clerk.ask("GET", f"{TAKEN_IN}/{draft['id']}")).json()["code"] == "sitting_over"


async def test_for_a_company_the_person_who_came_is_named(hall: Hall) -> None:
    person, company = uuid.uuid4(), uuid.uuid4()
    body = {
        "presence": hall.proof(person, legal_person_id=company),
        "item_code": ITEM,
    }
    draft = (await hall.clerk.ask("POST", TAKEN_IN, body)).json()
    assert (draft["applicant_kind"], draft["applicant_id"]) == ("LEGAL_PERSON", str(company))
    assert draft["submitted_by"] == str(person)
    found = await hall.clerk.ask("GET", f"{TAKEN_IN}/{draft['id']}/prefill")
    assert found.status_code == 200, found.text
    identity = hall.office.app.state.identity
    assert {holder for holder, _purpose in identity.asked} <= {person, company}
    assert set(identity.asked_for) == {hall.department_id}


async def test_a_draft_begun_online_is_finished_at_the_window_and_the_other_way_round(hall: Hall) -> None:
    person = uuid.uuid4()
    online = hall.person(person)
    applicant = {"kind": "NATURAL_PERSON", "id": str(person)}
    begun = (
        await online.ask("POST", APPLICATIONS, {"item_code": PENSION_ITEM, "applicant": applicant})
    ).json()
    refused = await hall.begin(person)
    assert (refused.status_code, refused.json()["code"]) == (409, "open_application_exists")
    gone_on = (await hall.begin(person, go_on=True)).json()
    assert (gone_on["id"], gone_on["channel"]) == (begun["id"], "WINDOW")
    await hall.complete(begun["id"])
    handed_in = (await online.ask("POST", f"{APPLICATIONS}/{begun['id']}/submit")).json()["application"]
    assert (handed_in["channel"], handed_in["taken_in_by"]) == ("ONLINE", None)


async def test_what_was_returned_is_mended_at_the_window_by_its_number(hall: Hall) -> None:
    office, person = hall.office, uuid.uuid4()
    receipt = await hall.taken_in(person)
    other = await hall.taken_in(person, in_addition=True)
    case_id = uuid.UUID(receipt["cases"][0]["id"])
    approver = replace(office.approver("HN-430300-RSB"))
    await intake.return_case(
        office.session, office.ring, case_id, "请补充。", caller=approver, now=office.now
    )
    number = receipt["application"]["number"]
    body = {"presence": hall.proof(person), "number": number}
    sat_down = await hall.clerk.ask("POST", f"{WINDOW}/sittings", body)
    assert (sat_down.status_code, sat_down.json()["application"]["status"]) == (201, "ACTION_NEEDED")
    base = f"{TAKEN_IN}/{receipt['application']['id']}"
    foreign = other["cases"][0]["id"]
    assert (await hall.clerk.ask("POST", f"{base}/cases/{foreign}/resubmit")).status_code == 404
    assert (
        await hall.clerk.ask(
            "PUT", f"{base}/form", {"form": await office.plan_form(receipt["application"]["id"])}
        )
    ).status_code == 200
    again = await hall.clerk.ask("POST", f"{base}/cases/{case_id}/resubmit")
    assert (again.status_code, again.json()["status"]) == (200, "SUBMITTED"), again.text


async def test_the_applicants_level_counts_and_not_the_clerks(hall: Hall) -> None:
    body = {"presence": hall.proof(uuid.uuid4(), trust_level=1), "item_code": PENSION_ITEM}
    draft = (await hall.clerk.ask("POST", TAKEN_IN, body)).json()
    await hall.complete(draft["id"])
    answer = await hall.clerk.ask("POST", f"{TAKEN_IN}/{draft['id']}/submit")
    assert (answer.status_code, answer.json()["code"]) == (409, "applicant_level_too_low")


async def test_a_promise_is_signed_by_the_applicant_on_paper(hall: Hall) -> None:
    person = uuid.uuid4()
    draft = (await hall.begin(person, item=PROMISE_ITEM)).json()
    base = f"{TAKEN_IN}/{draft['id']}"
    promises = draft["promises_offered"]
    assert promises
    for change in ({"promises": promises}, {"tolerance_promised": True}):
        refused = await hall.clerk.ask("PATCH", base, change)
        assert (refused.status_code, refused.json()["code"]) == (422, "signature_needed")
    paper = await hall.clerk.upload()
    signed = await hall.clerk.ask("PATCH", base, {"promises": promises, "signed_paper": paper})
    assert (signed.status_code, signed.json()["promises"]) == (200, promises), signed.text
    materials = (await hall.person(person).ask("GET", f"{APPLICATIONS}/{draft['id']}")).json()["materials"]
    assert [[file["id"] for file in one["files"]] for one in materials if one["files"]] == [[paper]]
    entry = (await timeline.read(hall.office.session, uuid.UUID(draft["id"])))[-1]
    assert (entry.action, entry.facts["promises"]) == ("SIGNED_AT_WINDOW", promises)


@pytest.mark.parametrize(("own", "status"), [(CITY, 201), (DISTRICT, 201), (PROVINCE, 201), (ELSEWHERE, 403)])
async def test_a_hall_serves_the_line_of_divisions_in_which_it_stands(
    hall: Hall, own: str, status: int
) -> None:
    clerk = hall.colleague(division=own)
    answer = await hall.begin(uuid.uuid4(), clerk)
    assert answer.status_code == status, answer.text
    if status == 403:
        assert answer.json()["code"] == "division_out_of_reach"
