"""Applications that somebody makes for somebody else: who may do what, and whose names stand where."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from acceptance_service.applications.domain import NoSuchApplication
from acceptance_service.applications.handlers import drafts
from acceptance_service.cases.handlers import reading, review
from acceptance_service.submissions.handlers import following, prefill
from service_common import timeline
from service_common.auth import Caller
from service_common.contracts.acceptance import HolderKind
from service_common.delegation import Act, Delegation, NotDelegable, OutsideDelegation

if TYPE_CHECKING:
    from services.acceptance.tests.conftest import Office

ITEM = "HN-430300-000123020000-01"
OTHER_ITEM = "HN-430300-002014006001-02"
STORE = "43TCP0018"
APPLICATIONS = "/acceptance/v1/applications"


def entrust(
    principal: Caller,
    agent: str,
    *,
    acts: frozenset[str] = frozenset(Act),
    matter: str = f"acceptance:{ITEM}",
) -> Caller:
    """The caller that a token for this delegation gives."""
    of = Delegation(uuid.uuid4(), "person", agent, acts, frozenset({matter}))
    return replace(principal, delegation=of, represents=frozenset())


async def test_the_agent_submits_and_both_stand_on_everything(office: "Office") -> None:
    principal, agent = office.citizen(), str(uuid.uuid4())
    acting = entrust(principal, agent)
    receipt = await office.apply(acting, item=ITEM)
    application = receipt.application
    assert (application.applicant_id, str(application.submitted_by)) == (principal.person_id, agent)
    assert {str(case.submitted_by) for case in receipt.cases} == {agent}
    event = next(
        one for one in await office.events(application.id) if one["type"].endswith("application.submitted.v1")
    )
    assert (event["data"]["applicant_id"], event["data"]["submitted_by"]) == (principal.subject_id, agent)
    for aggregate in (application.id, receipt.cases[0].id):
        entries = await timeline.read(office.session, aggregate)
        assert timeline.verify(entries)
        assert {(one.actor_id, one.facts["on_behalf_of"]) for one in entries} == {
            (agent, principal.subject_id)
        }


async def test_a_draft_that_the_principal_began_is_submitted_by_the_agent(office: "Office") -> None:
    principal, agent = office.citizen(), str(uuid.uuid4())
    application, plan = await office.draft(principal, item=ITEM)
    await office.fill(application, plan, principal)
    assert application.submitted_by == principal.person_id
    receipt = await office.submit(application, entrust(principal, agent, acts=frozenset({Act.SUBMIT})))
    assert str(receipt.application.submitted_by) == agent


async def test_other_matters_of_the_principal_stay_unseen(office: "Office") -> None:
    principal, agent = office.citizen(), str(uuid.uuid4())
    acting = entrust(principal, agent)
    with pytest.raises(OutsideDelegation):
        await office.draft(acting, item=OTHER_ITEM)
    own = (await office.apply(principal, item=OTHER_ITEM)).cases[0]
    entrusted, _ = await office.draft(acting, item=ITEM)
    listed = await following.list_applications(office.session, caller=acting, after=None, limit=10)
    assert [one.id for one in listed] == [entrusted.id]
    with pytest.raises(NoSuchApplication):
        await drafts.own_application(office.session, own.application_id, acting)
    for refused in (
        reading.visible_case(office.session, own.id, acting),
        review.withdraw_case(office.session, office.ring, own.id, caller=acting, now=office.now),
    ):
        with pytest.raises(Exception, match="There is no such case"):
            await refused
    wide = entrust(principal, agent, matter="acceptance:*")
    listed = await following.list_applications(office.session, caller=wide, after=None, limit=10)
    assert len(listed) == 2


async def test_to_promise_is_to_sign(office: "Office") -> None:
    principal = office.citizen()
    acting = entrust(principal, str(uuid.uuid4()), acts=frozenset({Act.VIEW, Act.SUBMIT}))
    application, _ = await office.draft(acting, item=ITEM)
    for change in (drafts.DraftChange(promises=["any"]), drafts.DraftChange(tolerance_promised=True)):
        with pytest.raises(NotDelegable):
            await drafts.change_draft(office.session, application.id, change, caller=acting)
    await drafts.change_draft(office.session, application.id, drafts.DraftChange(promises=[]), caller=acting)


async def test_nobody_applies_for_others_than_the_principal(office: "Office") -> None:
    company = uuid.uuid4()
    principal = office.citizen(represents=frozenset({company}))
    acting = entrust(principal, str(uuid.uuid4()), matter="acceptance:*")
    for applicant in (company, uuid.uuid4()):
        with pytest.raises(drafts.NotRepresented):
            await office.draft(acting, bundle=STORE, applicant=applicant)


async def test_a_legal_persons_agent_applies_for_it_alone(office: "Office") -> None:
    company, agent = uuid.uuid4(), str(uuid.uuid4())
    of_company = Caller(str(company), "legal_person", "app", frozenset(), trust_level=3)
    acting = entrust(of_company, agent, matter="acceptance:*")
    application, _ = await office.draft(acting, bundle=STORE, applicant=company)
    assert (application.applicant_id, str(application.submitted_by)) == (company, agent)
    question = await prefill.read_question(office.session, application.id, caller=acting)
    assert str(question.person_id) == agent
    with pytest.raises(drafts.NotRepresented):
        given = drafts.DraftInput(None, ITEM, None, HolderKind.NATURAL_PERSON, company)
        await drafts.begin_draft(office.session, given, caller=acting, now=office.now)


async def test_the_form_asks_about_the_principal(office: "Office") -> None:
    principal = office.citizen()
    acting = entrust(principal, str(uuid.uuid4()))
    application, _ = await office.draft(acting, item=ITEM)
    question = await prefill.read_question(office.session, application.id, caller=acting)
    assert question.person_id == principal.person_id


def _headers(token: Callable[..., str], principal: Caller, agent: str, *acts: Act) -> dict[str, str]:
    claims: dict[str, Any] = {
        "sub": principal.subject_id,
        "scope": "acceptance:applications.read acceptance:applications.write acceptance:history.read",
        "act": {"sub": agent, "subject_type": "person"},
        "delegation": {"id": str(uuid.uuid4()), "acts": list(acts), "matters": [f"acceptance:{ITEM}"]},
    }
    return {"Authorization": f"Bearer {token(**claims)}", "Idempotency-Key": str(uuid.uuid4())}


async def _begin(client: httpx.AsyncClient, headers: dict[str, str], principal: Caller) -> httpx.Response:
    applicant = {"kind": "NATURAL_PERSON", "id": principal.subject_id}
    return await client.post(APPLICATIONS, json={"item_code": ITEM, "applicant": applicant}, headers=headers)


async def test_who_may_only_look_does_not_submit(office: "Office", token: Callable[..., str]) -> None:
    principal, agent = office.citizen(), str(uuid.uuid4())
    async with office.client() as client:
        looking = _headers(token, principal, agent, Act.VIEW)
        refused = await _begin(client, looking, principal)
        assert (refused.status_code, refused.json()["code"]) == (403, "not_delegated")
        writing = _headers(token, principal, agent, Act.VIEW, Act.SUBMIT)
        begun = await _begin(client, writing, principal)
        assert begun.status_code == 201, begun.text
        assert (begun.json()["applicant_id"], begun.json()["submitted_by"]) == (principal.subject_id, agent)
        shown = await client.get(f"{begun.headers['location']}/timeline", headers=looking)
        assert [(one["action"], one["actor_id"], one["on_behalf_of"]) for one in shown.json()["entries"]] == [
            ("DRAFTED", agent, principal.subject_id)
        ]
