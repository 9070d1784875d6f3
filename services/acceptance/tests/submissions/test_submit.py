"""From the draft to the receipt, on the real catalogue."""

import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import text

from acceptance_service.applications.domain import (
    AlreadyDiscarded,
    ApplicationStatus,
    FormInvalid,
    LicenceNotUsable,
    NoSuchApplication,
    NoSuchMaterial,
    NotDraft,
    NotForThisApplicant,
    OpenApplicationExists,
    ProfileNotVerified,
    Provision,
    ProvisionNotOffered,
    QuestionsUnanswered,
    SubmissionIncomplete,
    UnknownPromise,
)
from acceptance_service.applications.handlers import drafts, materials
from acceptance_service.applications.handlers.progress import note_licence
from acceptance_service.applications.models import Form
from acceptance_service.bundles.handlers import find_bundle
from acceptance_service.bundles.scenario import follow
from acceptance_service.cases.domain.states import CaseStatus
from acceptance_service.cases.handlers.completing import after_decision
from acceptance_service.cases.handlers.deciding import decide_by_rule
from acceptance_service.files import handlers as uploads
from acceptance_service.files.domain import FileOfAnotherMaterial, NoSuchFile
from acceptance_service.submissions.handlers.following import (
    own_file,
    read_application,
    read_history,
    withdraw_application,
)
from gov_rules.identifiers import parse_bundle_number, parse_project_number, parse_query_number
from service_common.auth import TrustLevelTooLow
from service_common.contracts.acceptance import HolderKind
from service_common.contracts.certificates import LicenceIssued, LicenceStatus

ITEM = "HN-430300-000123020000-01"
STORE = "43TCP0018"


async def store_path(office: Any, session: Any) -> dict[str, Any]:
    """The first answer to every question that is asked, one after the other."""
    answers: dict[str, Any] = {}
    questions = (await find_bundle(session, STORE)).definition.scenario.questions
    while path := follow(questions, answers).unanswered:
        question = next(one for one in questions if one.code == path[0])
        value = question.options[0].value
        answers[question.code] = [value] if question.kind == "multi" else value
    return answers


def represented(office: Any) -> tuple[Any, uuid.UUID]:
    company = uuid.uuid4()
    return office.citizen(represents=frozenset({company})), company


async def test_a_submission_makes_everything_in_one_transaction(office: Any) -> None:
    citizen = office.citizen()
    receipt = await office.apply(citizen, item=ITEM)
    application, (case,) = receipt.application, receipt.cases
    assert application.status is ApplicationStatus.IN_PROGRESS
    assert parse_project_number(case.project_no).serial >= 1
    assert application.number == case.project_no
    assert parse_query_number(application.query_number) == application.query_number
    assert await office.event_types(application.id, case.id) == ["case.submitted", "application.submitted"]
    assert await office.history(application.id) == ["DRAFTED", "SUBMITTED"]
    assert await office.history(case.id) == ["SUBMIT"]


async def test_events_carry_ids_and_no_form(office: Any) -> None:
    receipt = await office.apply(office.citizen(), item=ITEM)
    for event in await office.events(receipt.application.id, receipt.cases[0].id):
        assert "示例内容" not in str(event)
        assert receipt.query_password not in str(event["data"])


async def test_a_bundle_has_a_master_number_and_a_case_per_item_some_of_them_waiting(office: Any) -> None:
    agent, company = represented(office)
    answers = await store_path(office, office.session)
    receipt = await office.apply(agent, bundle=STORE, applicant=company, answers=answers)
    assert parse_bundle_number(receipt.application.number).division == "430300"
    by_status: dict[CaseStatus, list[str]] = {}
    for case in receipt.cases:
        by_status.setdefault(case.status, []).append(case.item_code)
    assert by_status[CaseStatus.SUBMITTED] == ["HN-430300-43TCP0018-05"]
    assert len(by_status[CaseStatus.WAITING]) >= 2
    assert len({case.project_no for case in receipt.cases}) == len(receipt.cases)
    submitted = (await office.events(receipt.application.id))[-1]["data"]
    assert len(submitted["case_ids"]) == len(receipt.cases)
    assert str(receipt.application.promised_due_on) == "2026-07-20"


async def test_waiting_cases_are_released_when_what_they_wait_for_is_granted(office: Any) -> None:
    agent, company = represented(office)
    answers = await store_path(office, office.session)
    receipt = await office.apply(agent, bundle=STORE, applicant=company, answers=answers)
    first = next(case for case in receipt.cases if case.status is CaseStatus.SUBMITTED)
    waiting = [case for case in receipt.cases if case.status is CaseStatus.WAITING]
    await note_licence(
        office.session,
        _licence(company, "营业执照", "11990000LB0000230M001", first.department_id),
        status=LicenceStatus.NORMAL,
        revision=1,
    )
    office.later(hours=1)
    assert await decide_by_rule(office.session, office.ring, first.id, now=office.now)
    await after_decision(office.session, office.ring, first.id, None, now=office.now)
    assert first.status is CaseStatus.FINISHED
    assert {case.status for case in waiting} == {CaseStatus.SUBMITTED}
    assert {case.submitted_at for case in waiting} == {office.now}
    for case in waiting:
        assert await office.event_types(case.id) == ["case.submitted"]
        assert await office.history(case.id) == ["SUBMIT", "RELEASE"]


async def test_the_password_is_stored_as_a_keyed_hash_alone(office: Any) -> None:
    receipt = await office.apply(office.citizen(), item=ITEM)
    assert len(receipt.query_password) == 6
    assert receipt.query_password.encode() not in receipt.application.query_password_hash


async def test_the_form_lies_sealed(office: Any) -> None:
    receipt = await office.apply(office.citizen(), item=ITEM)
    form = await office.session.get_one(Form, (receipt.application.id, 1))
    assert "示例内容".encode() not in form.body


async def test_the_same_application_is_not_handed_in_twice(office: Any) -> None:
    citizen = office.citizen()
    receipt = await office.apply(citizen, item=ITEM)
    with pytest.raises(NotDraft):
        await office.submit(receipt.application, citizen)


async def test_an_incomplete_application_names_everything_that_is_missing(office: Any) -> None:
    citizen = office.citizen()
    application, _ = await office.draft(citizen, item=ITEM)
    with pytest.raises(SubmissionIncomplete) as refused:
        await office.submit(application, citizen)
    pointers = {one.pointer for one in refused.value.fields}
    assert "/form/shop_name" in pointers
    assert any(one.startswith("/materials/") for one in pointers)


async def test_unanswered_questions_are_named(office: Any) -> None:
    agent, company = represented(office)
    application, _ = await office.draft(agent, bundle=STORE, applicant=company)
    with pytest.raises(QuestionsUnanswered):
        await office.submit(application, agent)


async def test_a_low_trust_level_may_fill_in_and_not_hand_in(office: Any) -> None:
    citizen = office.citizen(level=1)
    application, plan = await office.draft(citizen, item=ITEM)
    await office.fill(application, plan, citizen)
    with pytest.raises(TrustLevelTooLow):
        await office.submit(application, citizen)


async def test_the_answer_says_what_to_ask_identity_for(office: Any, token: Callable[..., str]) -> None:
    citizen = office.citizen()
    application, plan = await office.draft(citizen, item=ITEM)
    await office.fill(application, plan, citizen)
    low = token(sub=citizen.subject_id, scope="acceptance:applications.write", acr="urn:lianban:loa:1")
    async with office.client() as client:
        answer = await client.post(
            f"/acceptance/v1/applications/{application.id}/submit",
            headers={"Authorization": f"Bearer {low}", "Idempotency-Key": "a"},
        )
    assert (answer.status_code, answer.json()["code"]) == (401, "insufficient_user_authentication")
    assert answer.headers["www-authenticate"] == (
        f'Bearer error="insufficient_user_authentication", acr_values="urn:lianban:loa:{plan.min_trust_level}"'
    )


async def test_one_open_application_for_one_thing_unless_another_is_meant(office: Any) -> None:
    citizen = office.citizen()
    await office.draft(citizen, item=ITEM)
    with pytest.raises(OpenApplicationExists):
        async with office.session.begin_nested():
            await office.draft(citizen, item=ITEM)
    await office.draft(citizen, item=ITEM, in_addition=True)


async def test_a_withdrawn_application_makes_room_for_another(office: Any) -> None:
    citizen = office.citizen()
    receipt = await office.apply(citizen, item=ITEM)
    await withdraw_application(
        office.session, office.ring, receipt.application.id, caller=citizen, now=office.now
    )
    assert receipt.application.status is ApplicationStatus.WITHDRAWN
    await office.draft(citizen, item=ITEM)


async def test_nobody_applies_for_a_company_they_do_not_represent(office: Any) -> None:
    with pytest.raises(drafts.NotRepresented):
        await office.draft(office.citizen(), item=ITEM, applicant=uuid.uuid4())


async def test_an_item_for_natural_persons_is_not_for_companies(office: Any) -> None:
    agent, company = represented(office)
    with pytest.raises(NotForThisApplicant):
        await office.draft(agent, item="HN-430300-000788001001-01", applicant=company)


async def test_an_application_is_seen_by_its_applicant_and_their_agent_alone(office: Any) -> None:
    agent, company = represented(office)
    application, _ = await office.draft(agent, item=ITEM, applicant=company)
    colleague = office.citizen(represents=frozenset({company}))
    assert (await drafts.own_application(office.session, application.id, colleague)).id == application.id
    with pytest.raises(NoSuchApplication):
        await drafts.own_application(office.session, application.id, office.citizen())


@pytest.mark.parametrize(
    ("form", "pointer"),
    [
        ({"unknown": 1}, "/unknown"),
        ({"shop_name": 5}, "/shop_name"),
        ({"contact_phone": "x"}, "/contact_phone"),
    ],
)
async def test_a_draft_form_is_checked_field_by_field(
    office: Any, form: dict[str, Any], pointer: str
) -> None:
    citizen = office.citizen()
    application, _ = await office.draft(citizen, item=ITEM)
    with pytest.raises(FormInvalid) as refused:
        await drafts.save_form(
            office.session, office.ring, application.id, form, caller=citizen, now=office.now
        )
    assert [one.pointer for one in refused.value.fields] == [pointer]


async def test_a_draft_may_be_saved_half_done(office: Any) -> None:
    citizen = office.citizen()
    application, _ = await office.draft(citizen, item=ITEM)
    await drafts.save_form(
        office.session, office.ring, application.id, {"shop_name": "示例店"}, caller=citizen, now=office.now
    )
    assert application.form_revision == 1


async def test_what_the_guide_does_not_ask_for_cannot_be_sent(office: Any) -> None:
    citizen = office.citizen()
    application, _ = await office.draft(citizen, item=ITEM)
    given = materials.ProvisionInput(Provision.FILES, [await office.upload(citizen)])
    with pytest.raises(NoSuchMaterial):
        await provide(office, application, "NOT-ASKED", given, citizen)


async def test_somebody_elses_upload_cannot_be_attached(office: Any) -> None:
    citizen = office.citizen()
    application, plan = await office.draft(citizen, item=ITEM)
    given = materials.ProvisionInput(Provision.FILES, [await office.upload(office.citizen())])
    with pytest.raises(NoSuchFile):
        await provide(office, application, plan.materials[0].code, given, citizen)


IDENTITY_PAPER = "M0001230200000115"
IDENTITY_TYPE = "11100000000013127D001"


async def test_a_valid_licence_of_the_applicant_stands_in_for_its_copy(office: Any) -> None:
    citizen = office.citizen()
    application, plan = await office.draft(citizen, item=ITEM)
    licence = _licence(citizen.person_id, "居民身份证", IDENTITY_TYPE)
    await note_licence(office.session, licence, status=LicenceStatus.NORMAL, revision=1)
    await office.fill(application, plan, citizen)
    given = materials.ProvisionInput(Provision.LICENCE, licence_id=licence.licence_id)
    await provide(office, application, IDENTITY_PAPER, given, citizen)
    receipt = await office.submit(application, citizen)
    assert receipt.cases


async def test_a_licence_revoked_before_the_submission_no_longer_stands_in(office: Any) -> None:
    citizen = office.citizen()
    application, plan = await office.draft(citizen, item=ITEM)
    licence = _licence(citizen.person_id, "居民身份证", IDENTITY_TYPE)
    await note_licence(office.session, licence, status=LicenceStatus.NORMAL, revision=1)
    await office.fill(application, plan, citizen)
    given = materials.ProvisionInput(Provision.LICENCE, licence_id=licence.licence_id)
    await provide(office, application, IDENTITY_PAPER, given, citizen)
    await note_licence(office.session, licence, status=LicenceStatus.REVOKED, revision=2)
    with pytest.raises(SubmissionIncomplete) as refused:
        await office.submit(application, citizen)
    assert [one.pointer for one in refused.value.fields] == [f"/materials/{IDENTITY_PAPER}"]


@pytest.mark.parametrize(
    ("mine", "type_code", "status"),
    [
        (False, IDENTITY_TYPE, LicenceStatus.NORMAL),
        (True, "11990000LB0000230M001", LicenceStatus.NORMAL),
        (True, IDENTITY_TYPE, LicenceStatus.EXPIRED),
    ],
)
async def test_another_persons_wrong_or_expired_licence_is_refused(
    office: Any,
    mine: bool,
    type_code: str,
    status: LicenceStatus,
) -> None:
    citizen = office.citizen()
    application, _ = await office.draft(citizen, item=ITEM)
    licence = _licence(citizen.person_id if mine else uuid.uuid4(), "居民身份证", type_code)
    await note_licence(office.session, licence, status=status, revision=1)
    given = materials.ProvisionInput(Provision.LICENCE, licence_id=licence.licence_id)
    with pytest.raises(LicenceNotUsable):
        await provide(office, application, IDENTITY_PAPER, given, citizen)


async def test_a_way_that_the_material_does_not_offer_is_refused(office: Any) -> None:
    citizen = office.citizen()
    application, plan = await office.draft(citizen, item=ITEM)
    with pytest.raises(ProvisionNotOffered):
        await provide(
            office, application, IDENTITY_PAPER, materials.ProvisionInput(Provision.PROFILE), citizen
        )
    with pytest.raises(ProvisionNotOffered):
        promise = materials.ProvisionInput(Provision.PROMISE, promise="another_promise")
        await provide(office, application, "M0001230200000112", promise, citizen)
    assert plan.promises == ("hygiene_promise",)


async def test_only_offered_promises_can_be_signed(office: Any) -> None:
    citizen = office.citizen()
    application, _ = await office.draft(citizen, item=ITEM)
    with pytest.raises(UnknownPromise):
        await drafts.change_draft(
            office.session, application.id, drafts.DraftChange(promises=["everything"]), caller=citizen
        )


async def test_an_unverified_profile_stands_in_for_nothing(office: Any) -> None:
    company = uuid.uuid4()
    agent = office.citizen(level=1, represents=frozenset({company}))
    answers = await store_path(office, office.session)
    application, plan = await office.draft(agent, bundle=STORE, applicant=company, answers=answers)
    code = next(
        one.code for one in plan.materials if any(way.field == "person.id_number" for way in one.satisfied_by)
    )
    with pytest.raises(ProfileNotVerified):
        await provide(office, application, code, materials.ProvisionInput(Provision.PROFILE), agent)


async def test_a_discarded_draft_lets_its_files_go(office: Any) -> None:
    citizen = office.citizen()
    application, plan = await office.draft(citizen, item=ITEM)
    await office.fill(application, plan, citizen)
    await drafts.discard_draft(office.session, application.id, caller=citizen, now=office.now)
    held = await office.session.scalar(
        text("SELECT count(*) FROM files WHERE application_id = :one"), {"one": application.id}
    )
    assert held == 0
    assert application.status is ApplicationStatus.DISCARDED


async def provide(office: Any, application: Any, code: str, given: Any, caller: Any) -> Any:
    return await materials.provide_material(
        office.session, application.id, code, given, caller=caller, now=office.now
    )


def _licence(
    holder: uuid.UUID, type_name: str, type_code: str, issuer: uuid.UUID | None = None
) -> LicenceIssued:
    return LicenceIssued(
        licence_id=uuid.uuid4(),
        identifier=f"1.2.156.3005.2.{type_code}.X.001.0",
        type_code=type_code,
        type_name=type_name,
        holder_kind=HolderKind.NATURAL_PERSON,
        holder_id=holder,
        issuer_department_id=issuer or uuid.uuid4(),
        licence_version=1,
    )


async def test_a_draft_is_discarded_once(office: Any) -> None:
    citizen = office.citizen()
    application, _ = await office.draft(citizen, item=ITEM)
    take_back = (office.session, office.ring, application.id)
    await withdraw_application(*take_back, caller=citizen, now=office.now)
    with pytest.raises(AlreadyDiscarded):
        await withdraw_application(*take_back, caller=citizen, now=office.now)


async def test_a_supervisor_reads_the_history_of_applications_in_the_own_division_alone(office: Any) -> None:
    receipt = await office.apply(office.citizen(), item=ITEM)

    async def entries(division: str | None) -> int:
        supervisor = replace(
            office.approver("HN-430300-SCJG"), roles=frozenset({"supervisor"}), division=division
        )
        return len(await read_history(office.session, receipt.application.id, caller=supervisor))

    assert await entries("430300000000") == await entries("430000000000") == 2
    for elsewhere in ("430100000000", "430304000000", None):
        with pytest.raises(NoSuchApplication):
            await entries(elsewhere)


async def test_one_upload_is_not_the_content_of_two_materials(office: Any) -> None:
    citizen = office.citizen()
    application, plan = await office.draft(citizen, item=ITEM)
    first, second = [one.code for one in plan.materials if not one.satisfied_by][:2]
    given = materials.ProvisionInput(Provision.FILES, [await office.upload(citizen)])

    async def provide(code: str) -> None:
        await materials.provide_material(
            office.session, application.id, code, given, caller=citizen, now=office.now
        )

    await provide(first)
    with pytest.raises(FileOfAnotherMaterial):
        await provide(second)
    await provide(first)
    view = await read_application(office.session, office.ring, application.id, caller=citizen)
    assert {code: len(held) for code, held in view.files.items()} == {first: 1}


async def test_an_agent_whose_power_ended_opens_nothing_of_the_company_not_even_an_own_upload(
    office: Any,
) -> None:
    agent, company = represented(office)
    application, plan = await office.draft(agent, item=ITEM, applicant=company)
    code = next(one.code for one in plan.materials if not one.satisfied_by)
    file_id = await office.upload(agent)
    given = materials.ProvisionInput(Provision.FILES, [file_id])
    await materials.provide_material(
        office.session, application.id, code, given, caller=agent, now=office.now
    )
    opened = (office.session, office.ring, application.id, file_id)
    assert await own_file(*opened, caller=agent) == file_id
    dismissed = replace(agent, represents=frozenset())
    with pytest.raises(NoSuchApplication):
        await own_file(*opened, caller=dismissed)
    with pytest.raises(NoSuchFile):
        await uploads.own_file(office.session, file_id, dismissed)
