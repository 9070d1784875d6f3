"""The department inbox over HTTP: who sees what, what rests on which version, and what is asked twice."""

import uuid
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from acceptance_service.cases.domain.states import CaseStatus

BASE = "/acceptance/v1/cases"
STAFF = "acceptance:cases.read acceptance:cases.handle acceptance:cases.decide acceptance:cases.read-form"


class Officer:
    """Somebody with a token at a department."""

    def __init__(self, client: httpx.AsyncClient, token: str) -> None:
        self.client = client
        self.headers = {"Authorization": f"Bearer {token}"}

    async def get(self, path: str, **facts: Any) -> httpx.Response:
        return await self.client.get(path, headers=self.headers, **facts)

    async def post(self, path: str, body: Any = None, **headers: str) -> httpx.Response:
        sent = self.headers | {"Idempotency-Key": headers.pop("key", str(uuid.uuid4()))} | headers
        return await self.client.post(path, json=body, headers=sent)

    async def decide(self, case_id: Any, **body: Any) -> httpx.Response:
        etag = (await self.get(f"{BASE}/{case_id}")).headers["etag"]
        return await self.post(
            f"{BASE}/{case_id}/decide", {"outcome": "APPROVED"} | body, **{"If-Match": etag}
        )


@pytest.fixture
def officer_of(
    office: Any, token: Callable[..., str], department_of: Callable[[str], uuid.UUID]
) -> Callable[..., Officer]:
    def make(department: str = "HN-430300-WSJK", scope: str = STAFF, **claims: Any) -> Officer:
        claims = {
            "sub": str(uuid.uuid4()),
            "subject_type": "staff",
            "department_id": str(department_of(department)),
            "division": "430300000000",
            "roles": ["approver"],
        } | claims
        return Officer(office.client(), token(scope=scope, **claims))

    return make


@pytest.fixture
async def case(office: Any) -> Any:
    case, _, _ = await office.case()
    await office.session.commit()
    return case


async def accepted(officer: Officer, case: Any) -> None:
    assert (await officer.post(f"{BASE}/{case.id}/receive")).status_code == 200
    answer = await officer.post(f"{BASE}/{case.id}/accept", {})
    assert answer.json()["status"] == "ACCEPTED"


async def test_a_case_is_worked_through_the_routes(case: Any, officer_of: Callable[..., Officer]) -> None:
    officer = officer_of()
    await accepted(officer, case)
    decided = await officer.decide(case.id)
    assert (decided.status_code, decided.json()["status_label"]) == (200, "准予")
    shown = (await officer.get(f"{BASE}/{case.id}")).json()
    assert [one["kind"] for one in shown["documents"]] == ["RECEIPT", "ACCEPTANCE", "APPROVAL"]
    assert (await officer.get(f"{BASE}/{case.id}/timeline")).json()["intact"] is True


async def test_a_partner_system_works_through_the_same_routes(
    case: Any, officer_of: Callable[..., Officer]
) -> None:
    partner = officer_of(subject_type="client", sub="wsjk-system", roles=["partner"])
    await accepted(partner, case)
    assert (await partner.decide(case.id)).status_code == 200


async def test_the_inbox_holds_the_departments_own_cases_masked(
    case: Any, officer_of: Callable[..., Officer]
) -> None:
    rows = (await officer_of().get(BASE)).json()["items"]
    assert [row["id"] for row in rows] == [str(case.id)]
    assert "form" not in rows[0]
    assert (await officer_of("HN-430300-SCJG").get(BASE)).json()["items"] == []
    assert (await officer_of(division="430100000000").get(BASE)).json()["items"] == []


async def test_the_inbox_is_filtered_by_status_and_an_unknown_one_is_refused(
    case: Any, officer_of: Callable[..., Officer]
) -> None:
    officer = officer_of()
    assert len((await officer.get(BASE, params={"status": "SUBMITTED"})).json()["items"]) == 1
    assert (await officer.get(BASE, params={"status": "FINISHED"})).json()["items"] == []
    assert (await officer.get(BASE, params={"status": "LOST"})).status_code == 422


@pytest.mark.parametrize("status", [CaseStatus.WAITING, CaseStatus.TERMINATED])
async def test_a_case_that_waits_or_waited_in_vain_is_in_no_inbox(
    case: Any, office: Any, officer_of: Callable[..., Officer], status: CaseStatus
) -> None:
    other, _, _ = await office.case()
    for one in (case, other):
        one.status, one.submitted_at = status, None
    await office.session.flush()
    officer = officer_of()
    page = await officer.get(BASE, params={"status": status.value, "limit": 1})
    assert (page.status_code, page.json()["items"]) == (200, [])
    assert (await officer.get(f"{BASE}/{case.id}")).status_code == 404


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("claim", None),
        ("receive", None),
        ("return", {"reasons": "x"}),
        ("accept", {}),
        ("not-accept", {"reasons": "x", "remedies": "y"}),
        ("request-correction", {"missing": [{"code": "M", "reason": "x"}]}),
        ("terminate", {"reasons": "x"}),
        ("extend", {"workdays": 1, "reasons": "x"}),
        ("suspend", {"procedure": "HEARING", "reason": "x", "planned_workdays": 3}),
        ("deliver", None),
        ("finish", None),
    ],
)
async def test_another_department_gets_404_for_every_action(
    case: Any, officer_of: Callable[..., Officer], path: str, body: Any
) -> None:
    answer = await officer_of("HN-430300-SCJG").post(f"{BASE}/{case.id}/{path}", body)
    assert (answer.status_code, answer.json()["code"]) == (404, "no_such_case")


@pytest.mark.parametrize("path", ["", "/form", "/timeline"])
async def test_another_department_reads_nothing(
    case: Any, officer_of: Callable[..., Officer], path: str
) -> None:
    assert (await officer_of("HN-430300-SCJG").get(f"{BASE}/{case.id}{path}")).status_code == 404


async def test_a_clerk_without_the_scope_does_not_decide(
    case: Any, officer_of: Callable[..., Officer]
) -> None:
    clerk = officer_of(scope="acceptance:cases.read acceptance:cases.handle", roles=["clerk"])
    await accepted(clerk, case)
    answer = await clerk.decide(case.id)
    assert (answer.status_code, answer.json()["code"]) == (403, "insufficient_scope")


async def test_a_decision_names_the_version_it_rests_on(
    case: Any, officer_of: Callable[..., Officer]
) -> None:
    officer = officer_of()
    await accepted(officer, case)
    body = {"outcome": "APPROVED"}
    without = await officer.post(f"{BASE}/{case.id}/decide", body)
    stale = await officer.post(f"{BASE}/{case.id}/decide", body, **{"If-Match": '"1"'})
    assert (without.status_code, stale.status_code) == (428, 412)


async def test_a_rejection_without_reasons_names_the_fields(
    case: Any, officer_of: Callable[..., Officer]
) -> None:
    officer = officer_of()
    await accepted(officer, case)
    answer = await officer.decide(case.id, outcome="REJECTED")
    assert answer.status_code == 422
    assert [one["pointer"] for one in answer.json()["errors"]] == ["/reasons", "/remedies"]


async def test_the_same_action_sent_twice_happens_once(case: Any, officer_of: Callable[..., Officer]) -> None:
    officer = officer_of()
    first = await officer.post(f"{BASE}/{case.id}/receive", key="r")
    again = await officer.post(f"{BASE}/{case.id}/receive", key="r")
    assert first.json() == again.json()
    other = await officer.post(f"{BASE}/{case.id}/receive")
    assert (other.status_code, other.json()["code"]) == (409, "action_not_possible")


async def test_a_look_at_the_form_is_seen_by_the_applicant(
    office: Any, officer_of: Callable[..., Officer], token: Callable[..., str]
) -> None:
    case, citizen, approver = await office.case()
    await office.session.commit()
    full = await officer_of().get(f"{BASE}/{case.id}/form")
    assert full.json()["form"]["shop_name"]
    person = Officer(office.client(), token(sub=citizen.subject_id, scope="acceptance:applications.read"))
    seen = (await person.get(f"/acceptance/v1/applications/{case.application_id}/accesses")).json()
    assert [(one["what"], one["department_id"]) for one in seen["items"]] == [
        ("FORM", str(approver.department_id))
    ]


async def test_the_applicant_reads_their_case_and_not_the_inbox(
    office: Any, token: Callable[..., str]
) -> None:
    case, citizen, _ = await office.case()
    await office.session.commit()
    person = Officer(office.client(), token(sub=citizen.subject_id, scope="acceptance:cases.read"))
    assert (await person.get(f"{BASE}/{case.id}")).json()["status_label"] == "已提交"
    assert (await person.get(BASE)).status_code == 404
    stranger = Officer(office.client(), token(sub=str(uuid.uuid4()), scope="acceptance:cases.read"))
    assert (await stranger.get(f"{BASE}/{case.id}")).status_code == 404


async def test_a_file_of_the_case_opens_for_its_department_and_is_recorded(
    case: Any, officer_of: Callable[..., Officer]
) -> None:
    officer = officer_of()
    shown = (await officer.get(f"{BASE}/{case.id}")).json()
    file_id = next(file["id"] for one in shown["materials"] for file in one["files"])
    link = await officer.post(f"{BASE}/{case.id}/files/{file_id}/link")
    assert link.status_code == 200
    other = await officer_of("HN-430300-SCJG").post(f"{BASE}/{case.id}/files/{file_id}/link")
    assert other.status_code == 404
    assert (await officer.post(f"{BASE}/{case.id}/files/{uuid.uuid4()}/link")).status_code == 404


async def test_a_site_check_by_one_is_refused(
    office: Any, case: Any, officer_of: Callable[..., Officer]
) -> None:
    officer = officer_of()
    await accepted(officer, case)
    one = {"kind": "SITE_CHECK", "title": "核查", "staff_ids": [str(uuid.uuid4())]}
    answer = await officer.post(f"{BASE}/{case.id}/tasks", one)
    assert (answer.status_code, answer.json()["code"]) == (422, "site_check_staff")
    strangers = one | {"staff_ids": [str(uuid.uuid4()), str(uuid.uuid4())]}
    answer = await officer.post(f"{BASE}/{case.id}/tasks", strangers)
    assert (answer.status_code, answer.json()["code"]) == (422, "staff_not_of_department")
    two = one | {"staff_ids": [str(await office.staff(case.department_id)) for _ in range(2)]}
    await office.session.commit()
    task = (await officer.post(f"{BASE}/{case.id}/tasks", two)).json()
    assert [row["id"] for row in (await officer.get("/acceptance/v1/tasks")).json()["items"]] == [task["id"]]
    done = await officer.post(f"/acceptance/v1/tasks/{task['id']}/complete", {"result": "符合。"})
    assert done.json()["result"] == "符合。"


async def test_an_unknown_field_in_a_request_is_an_error(
    case: Any, officer_of: Callable[..., Officer]
) -> None:
    answer = await officer_of().post(f"{BASE}/{case.id}/accept", {"mode": "REGULAR", "silently": True})
    assert answer.json()["errors"][0]["pointer"] == "/silently"


async def test_the_applicant_does_not_see_who_works_on_the_case(
    office: Any, officer_of: Callable[..., Officer], token: Callable[..., str]
) -> None:
    case, citizen, _ = await office.case()
    await office.session.commit()
    officer = officer_of()
    await accepted(officer, case)
    staff = [str(await office.staff(case.department_id)) for _ in range(2)]
    await office.session.commit()
    await officer.post(f"{BASE}/{case.id}/tasks", {"kind": "SITE_CHECK", "title": "核查", "staff_ids": staff})
    person = Officer(office.client(), token(sub=citizen.subject_id, scope="acceptance:cases.read"))
    shown = await person.get(f"{BASE}/{case.id}")
    history = await person.get(f"{BASE}/{case.id}/timeline")
    assert (shown.json()["claimed_by"], shown.json()["tasks"]) == (None, [])
    assert not any(one in shown.text + history.text for one in staff)
    assert (await officer.get(f"{BASE}/{case.id}")).json()["tasks"]
