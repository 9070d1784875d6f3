"""Every theme of the catalogue: a generic applicant answers, uploads what is asked, and every case reaches its end."""

import json
from pathlib import Path
from typing import Any

import pytest

from lianban_local.demo import applying, people
from lianban_local.demo.app import App, Refused, SignedIn
from lianban_local.demo.handling import APPROVER_SCOPE, decide, until
from lianban_local.runfile import Account

pytestmark = [pytest.mark.stack, pytest.mark.xdist_group("stack"), pytest.mark.timeout(420)]

BUNDLES = Path(__file__).parents[2] / "data" / "catalogue" / "bundles"
DIVISIONS: dict[str, str] = {
    file.stem: json.loads(file.read_text())["division"] for file in sorted(BUNDLES.glob("*.json"))
}


class Offices:
    """An approver for whichever department gets a case."""

    def __init__(self, app: App) -> None:
        self._app = app
        self._operator = app.sign_in(
            next(one for one in app.run.accounts if one.username == "operator"), people.OPERATOR_SCOPE
        )

    async def approver_of(self, department_id: str) -> SignedIn:
        name = f"approver-{department_id[-12:]}"
        secret = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
        account = Account(role="approver", username=name, password=people.PASSWORD, totp_secret=secret)
        body = {
            "username": name, "name": "审批员", "department_id": department_id, "roles": ["approver"],
            "password": account.password, "totp_secret": secret,
        }  # fmt: skip
        try:
            await self._operator.post("/identity/v1/staff", body, key=name)
        except Refused as refusal:
            if refusal.answer.status_code != 409:
                raise
        return self._app.sign_in(account, APPROVER_SCOPE)


@pytest.fixture
def offices(app: App) -> Offices:
    return Offices(app)


async def answers_to(app: App, code: str, kind: str) -> dict[str, str | list[str]]:
    """The first option of every question that the path asks."""
    questions = {
        one["code"]: one
        for one in (await app.anonymous("GET", f"/acceptance/v1/bundles/{code}/questions"))["questions"]
    }
    answers: dict[str, str | list[str]] = {}
    while True:
        plan = await app.anonymous(
            "POST", f"/acceptance/v1/bundles/{code}/plan", {"answers": answers, "applicant_kind": kind}
        )
        if not plan["questions_unanswered"]:
            return answers
        asked = questions[plan["questions_unanswered"][0]]
        options = [option["value"] for option in asked["options"]]
        answers[asked["code"]] = (
            options[: max(asked["min_choices"], 1)] if asked["kind"] == "MULTI" else options[0]
        )


@pytest.mark.parametrize("code", list(DIVISIONS))
async def test_a_generic_applicant_reaches_the_end(app: App, offices: Offices, code: str) -> None:
    citizen = app.sign_in(app.account("citizen"), applying.SCOPE)
    division = DIVISIONS[code]
    kind = "LEGAL_PERSON" if code.startswith("43T") else "NATURAL_PERSON"
    if kind == "LEGAL_PERSON":
        trader = (await citizen.get("/identity/v1/me/represented"))["items"][0]
        holder = {"kind": kind, "id": trader["legal_person_id"]}
    else:
        holder = {"kind": kind, "id": (await citizen.get("/identity/v1/me"))["person_id"]}
    answers = await answers_to(app, code, kind)
    handed = await applying.apply(citizen, code, division, answers, holder, in_addition=True)
    assert handed.cases

    async def look() -> dict[str, Any]:
        seen: dict[str, Any] = await citizen.get(f"/acceptance/v1/applications/{handed.id}")
        return seen

    async def decide_what_is_open() -> dict[str, Any]:
        seen = await look()
        for case in seen["cases"]:
            if case["status"] in ("SUBMITTED", "RECEIVED", "ACCEPTED", "REVIEWING"):
                own = await citizen.get(f"/acceptance/v1/cases/{case['id']}")
                approver = await offices.approver_of(own["department_id"])
                await decide(approver, case["id"])
        return seen

    ended = await until(
        decide_what_is_open,
        lambda seen: all(case["status"] == "FINISHED" for case in seen["cases"]),
        f"the end of {code}",
        patience=180,
    )
    assert {case["outcome"] for case in ended["cases"]} == {"APPROVED"}
