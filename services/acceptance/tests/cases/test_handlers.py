"""A department works on a case: rows, timeline and outbox on a real database."""

from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select, update

from acceptance_service.applications.domain import ApplicationStatus, Provision
from acceptance_service.applications.handlers.materials import ProvisionInput, provide_material
from acceptance_service.applications.models import AccessRecord, Material
from acceptance_service.cases.domain.deadlines import ClockRefused
from acceptance_service.cases.domain.rules import (
    AcceptanceMode,
    ClaimedByAnother,
    DeemedByLaw,
    FormClosed,
    FourEyes,
    LicenceOutstanding,
    MaterialsMissing,
    NoOpinion,
    NoSuchCase,
    NoSuchTask,
    NoticeAndPromiseNotOffered,
    OpenTasks,
    OwnApplication,
    ReasonsMissing,
    SecondCorrection,
    StaffNotThere,
    TaskKind,
)
from acceptance_service.cases.domain.states import ActionNotPossible, CaseStatus
from acceptance_service.cases.handlers import completing, deciding, intake, reading, review, tasks
from acceptance_service.cases.handlers.intake import AcceptInput, Missing, Refusal
from acceptance_service.cases.models import Document
from gov_rules.licensing_law import SpecialProcedure
from service_common.contracts.acceptance import Outcome
from service_common.errors import Stale

TOLERANT_ITEM = "HN-430300-000125049000-01"
REMEDIES = "可自收到之日起六十日内申请行政复议。"


def kit(office: Any, case: Any) -> tuple[Any, Any, Any]:
    return office.session, office.ring, case.id


async def numbers(office: Any, case: Any) -> dict[str, str]:
    rows = await office.session.scalars(select(Document).where(Document.case_id == case.id))
    return {row.kind.name: row.number for row in rows}


async def test_a_case_goes_from_submission_to_decision(office: Any) -> None:
    case, _, approver = await office.accepted()
    await office.decide(case, approver)
    assert await office.history(case.id) == ["SUBMIT", "RECEIVE", "ACCEPT", "APPROVE"]
    assert await office.event_types(case.id) == [
        "case.submitted",
        "case.received",
        "case.accepted",
        "case.decided",
    ]
    assert case.outcome is Outcome.APPROVED
    assert [one["revision"] for one in await office.events(case.id)] == [1, 2, 3, 4]


async def test_every_written_act_has_a_number_and_each_kind_counts_from_one(office: Any) -> None:
    case, _, approver = await office.accepted()
    await office.decide(case, approver)
    found = await numbers(office, case)
    assert set(found) == {"RECEIPT", "ACCEPTANCE", "APPROVAL"}
    assert found["ACCEPTANCE"].endswith("受理〔2026〕第1号")


async def test_acceptance_starts_both_clocks_on_a_named_calendar(office: Any) -> None:
    case, _, _ = await office.accepted()
    assert (str(case.promised_due_on), str(case.statutory_due_on)) == ("2026-07-10", "2026-07-29")
    assert case.calendar_version == "cn-2026.1"
    assert not case.due_provisional


async def test_another_department_does_not_learn_of_the_case(office: Any) -> None:
    case, _, _ = await office.case()
    stranger = office.approver("HN-430300-SCJG")
    with pytest.raises(NoSuchCase):
        await intake.receive_case(*kit(office, case), caller=stranger, now=office.now)
    with pytest.raises(NoSuchCase):
        await reading.read_case(*kit(office, case), caller=stranger)
    assert case.status == CaseStatus.SUBMITTED


async def test_a_claimed_case_is_left_to_who_claimed_it(office: Any) -> None:
    case, _, approver = await office.case()
    colleague = office.approver("HN-430300-WSJK")
    await intake.claim_case(office.session, case.id, caller=approver, now=office.now)
    with pytest.raises(ClaimedByAnother):
        await intake.receive_case(*kit(office, case), caller=colleague, now=office.now)
    await intake.release_claim(office.session, case.id, caller=colleague, now=office.now)
    await intake.receive_case(*kit(office, case), caller=colleague, now=office.now)
    assert case.claimed_by == colleague.subject_id


async def test_a_return_does_not_stop_the_five_days(office: Any) -> None:
    case, citizen, approver = await office.case()
    due = case.intake_due_at
    await intake.return_case(*kit(office, case), "请修改门店名称。", caller=approver, now=office.now)
    office.later(days=1)
    await intake.resubmit_case(*kit(office, case), caller=citizen, now=office.now)
    assert case.status == CaseStatus.SUBMITTED
    assert case.intake_due_at == due
    assert case.contact_no == 2


async def test_a_returned_case_waits_for_the_applicant_in_the_application(office: Any) -> None:
    citizen = office.citizen()
    receipt = await office.apply(citizen, item="HN-430300-000123020000-01")
    case = receipt.cases[0]
    approver = office.approver("HN-430300-WSJK")
    await intake.return_case(*kit(office, case), "请修改。", caller=approver, now=office.now)
    assert receipt.application.status == ApplicationStatus.ACTION_NEEDED
    await intake.resubmit_case(*kit(office, case), caller=citizen, now=office.now)
    assert receipt.application.status == ApplicationStatus.IN_PROGRESS


async def test_the_one_off_notice_is_given_once(office: Any) -> None:
    case, citizen, approver = await office.case()
    await intake.receive_case(*kit(office, case), caller=approver, now=office.now)
    missing = [Missing("M1", "缺少公章")]
    await intake.request_correction(*kit(office, case), missing, caller=approver, now=office.now)
    assert case.status == CaseStatus.CORRECTION
    office.later(days=2)
    await intake.resubmit_case(*kit(office, case), caller=citizen, now=office.now)
    assert case.status == CaseStatus.RECEIVED
    with pytest.raises(SecondCorrection):
        await intake.request_correction(*kit(office, case), missing, caller=approver, now=office.now)


async def test_after_a_correction_the_five_days_start_anew(office: Any) -> None:
    case, citizen, approver = await office.case()
    before = case.intake_due_at
    await intake.receive_case(*kit(office, case), caller=approver, now=office.now)
    await intake.request_correction(
        *kit(office, case), [Missing("M1", "缺少公章")], caller=approver, now=office.now
    )
    office.later(days=20)
    await intake.resubmit_case(*kit(office, case), caller=citizen, now=office.now)
    assert case.intake_due_at > before
    await intake.accept_case(*kit(office, case), AcceptInput(), caller=approver, now=office.now)
    assert case.status == CaseStatus.ACCEPTED


async def test_an_answer_after_the_five_days_comes_too_late(office: Any) -> None:
    case, _, approver = await office.case()
    office.later(days=9)
    with pytest.raises(DeemedByLaw):
        await intake.refuse_acceptance(
            *kit(office, case), Refusal("不归我管。", REMEDIES), caller=approver, now=office.now
        )


async def test_not_accepting_states_reasons_and_ends_the_case(office: Any) -> None:
    case, _, approver = await office.case()
    with pytest.raises(ReasonsMissing):
        await intake.refuse_acceptance(*kit(office, case), Refusal("", ""), caller=approver, now=office.now)
    refusal = Refusal("不属于本机关职权范围。", REMEDIES, "湘潭市住房和城乡建设局")
    await intake.refuse_acceptance(*kit(office, case), refusal, caller=approver, now=office.now)
    assert case.status == CaseStatus.NOT_ACCEPTED
    assert case.ended_at == office.now
    assert (await office.event_types(case.application_id))[-1] == "application.finished"


async def test_a_tolerated_gap_is_accepted_supplemented_and_only_then_approved(office: Any) -> None:
    citizen = office.citizen()
    application, plan = await office.draft(citizen, item=TOLERANT_ITEM)
    gap = next(one.code for one in plan.materials if one.tolerance_allowed)
    await office.fill(application, plan, citizen, leave_out=frozenset({gap}))
    case = (await office.submit(application, citizen)).cases[0]
    approver = office.approver("HN-430300-XFJY")
    await intake.receive_case(*kit(office, case), caller=approver, now=office.now)
    with pytest.raises(MaterialsMissing):
        await intake.accept_case(*kit(office, case), AcceptInput(), caller=approver, now=office.now)
    tolerant = AcceptInput(AcceptanceMode.TOLERANCE, 5)
    await intake.accept_case(*kit(office, case), tolerant, caller=approver, now=office.now)
    assert (case.tolerance, case.supplement_workdays) == (True, 5)
    with pytest.raises(MaterialsMissing):
        await office.decide(case, approver)
    given = ProvisionInput(Provision.FILES, [await office.upload(citizen)])
    await provide_material(office.session, application.id, gap, given, caller=citizen, now=office.now)
    await office.decide(case, approver)
    assert case.outcome is Outcome.APPROVED
    assert "MATERIAL_PROVIDED" in await office.history(application.id)


async def test_a_promise_item_is_accepted_on_the_promise_and_decided_at_once(office: Any) -> None:
    case, _, approver = await office.case("HN-430300-000123020000-06")
    await intake.receive_case(*kit(office, case), caller=approver, now=office.now)
    promise = AcceptInput(AcceptanceMode.PROMISE)
    await intake.accept_case(*kit(office, case), promise, caller=approver, now=office.now)
    await office.decide(case, approver)
    assert case.promise
    assert case.decided_at == case.accepted_at


async def test_nothing_is_accepted_on_a_promise_that_was_made_to_another_department(office: Any) -> None:
    case, _, approver = await office.case("HN-430300-000123020000-06")
    await intake.receive_case(*kit(office, case), caller=approver, now=office.now)
    of_another = (
        update(Material).where(Material.application_id == case.application_id).values(items=["other"])
    )
    await office.session.execute(of_another)
    promise = AcceptInput(AcceptanceMode.PROMISE)
    with pytest.raises(NoticeAndPromiseNotOffered):
        await intake.accept_case(*kit(office, case), promise, caller=approver, now=office.now)


async def test_a_special_procedure_stops_the_clock_and_is_recorded(office: Any) -> None:
    case, _, approver = await office.accepted()
    await review.begin_review(*kit(office, case), caller=approver, now=office.now)
    await review.suspend_case(
        *kit(office, case),
        SpecialProcedure.EXPERT_REVIEW,
        reason="需专家评审。",
        planned_workdays=5,
        caller=approver,
        now=office.now,
    )
    assert case.status == CaseStatus.SUSPENDED
    assert case.promised_due_on is None
    with pytest.raises(ActionNotPossible):
        await office.decide(case, approver)
    office.later(days=7)
    await review.resume_case(*kit(office, case), "评审通过。", caller=approver, now=office.now)
    assert str(case.promised_due_on) == "2026-07-17"
    assert await office.event_types(case.id) == [
        "case.submitted",
        "case.received",
        "case.accepted",
        "case.suspended",
        "case.resumed",
    ]


async def test_an_extension_is_given_once(office: Any) -> None:
    case, _, approver = await office.accepted()
    await review.extend_case(*kit(office, case), 5, "需补充核查。", caller=approver, now=office.now)
    assert str(case.promised_due_on) == "2026-07-17"
    with pytest.raises(ClockRefused):
        await review.extend_case(*kit(office, case), 1, "再次延期。", caller=approver, now=office.now)


async def test_a_decision_rests_on_the_version_that_was_read(office: Any) -> None:
    case, _, approver = await office.accepted()
    decision = deciding.DecisionInput(Outcome.APPROVED, Refusal("", ""))
    with pytest.raises(Stale):
        await deciding.decide_case(
            *kit(office, case), decision, expected_version=case.version - 1, caller=approver, now=office.now
        )


async def test_a_rejection_states_reasons_and_remedies(office: Any) -> None:
    case, _, approver = await office.accepted()
    decision = deciding.DecisionInput(Outcome.REJECTED, Refusal("", REMEDIES))
    with pytest.raises(ReasonsMissing):
        await deciding.decide_case(
            *kit(office, case), decision, expected_version=case.version, caller=approver, now=office.now
        )
    await office.decide(case, approver, Outcome.REJECTED)
    decided = (await office.events(case.id))[-1]["data"]
    assert (decided["outcome"], decided["licence_type_code"]) == ("REJECTED", None)


async def test_nobody_decides_an_own_application(office: Any) -> None:
    case, citizen, approver = await office.accepted()
    case.submitted_by = citizen.person_id
    case.claimed_by = None
    await office.session.flush()
    insider = type(approver)(
        citizen.subject_id,
        "staff",
        "desk",
        frozenset(),
        department_id=approver.department_id,
        division=approver.division,
        roles=approver.roles,
    )
    with pytest.raises(OwnApplication):
        await office.decide(case, insider)


async def test_where_four_eyes_are_asked_for_the_second_person_decides(office: Any) -> None:
    case, _, first = await office.accepted()
    case.four_eyes = True
    await office.session.flush()
    second = office.approver("HN-430300-WSJK")
    await office.decide(case, first)
    assert case.outcome is None
    with pytest.raises(FourEyes):
        await office.decide(case, first)
    await office.decide(case, second)
    assert case.outcome is Outcome.APPROVED
    assert (await office.history(case.id))[-2:] == ["OPINION", "APPROVE"]


async def test_an_opinion_that_a_second_person_confirmed_is_not_taken_back(office: Any) -> None:
    case, _, first = await office.accepted()
    case.four_eyes = True
    await office.session.flush()
    await office.decide(case, first)
    await office.decide(case, office.approver("HN-430300-WSJK"))
    with pytest.raises(NoOpinion):
        await deciding.withdraw_opinion(office.session, case.id, caller=first, now=office.now)
    assert case.first_opinion["by"] == first.subject_id


async def test_a_site_check_by_two_is_done_before_the_decision(office: Any) -> None:
    case, _, approver = await office.accepted()
    two = [await office.staff(case.department_id) for _ in range(2)]
    check = tasks.TaskInput(TaskKind.SITE_CHECK, "现场核查", staff_ids=two, limit_workdays=3)
    task = await tasks.open_task(*kit(office, case), check, caller=approver, now=office.now)
    assert case.status == CaseStatus.REVIEWING
    with pytest.raises(OpenTasks):
        await office.decide(case, approver)
    await tasks.close_task(
        office.session, office.ring, task.id, "符合要求。", caller=approver, now=office.now
    )
    await office.decide(case, approver)
    assert case.outcome is Outcome.APPROVED


@pytest.mark.parametrize("absent", ["made up", "gone", "of another department"])
async def test_a_site_check_is_made_by_staff_who_can_go(office: Any, absent: str) -> None:
    """行政许可法 Art. 34: two or more staff, who are there and of the organ."""
    case, _, approver = await office.accepted()
    elsewhere = office.approver("HN-430300-SCJG").department_id
    third = {
        "made up": uuid4(),
        "gone": await office.staff(case.department_id, active=False),
        "of another department": await office.staff(elsewhere),
    }[absent]
    check = tasks.TaskInput(
        TaskKind.SITE_CHECK, "现场核查", staff_ids=[await office.staff(case.department_id), third]
    )
    with pytest.raises(StaffNotThere) as refused:
        await tasks.open_task(*kit(office, case), check, caller=approver, now=office.now)
    assert [one.pointer for one in refused.value.fields] == ["/staff_ids/1"]
    assert case.status == CaseStatus.ACCEPTED


async def test_a_consulted_department_answers_and_sees_nothing_else(office: Any) -> None:
    case, _, approver = await office.accepted()
    other = office.approver("HN-430300-SCJG")
    ask = tasks.TaskInput(TaskKind.CONSULTATION, "征求意见", department_id=other.department_id)
    task = await tasks.open_task(*kit(office, case), ask, caller=approver, now=office.now)
    stranger = office.approver("HN-430300-XFJY")
    with pytest.raises(NoSuchTask):
        await tasks.close_task(office.session, office.ring, task.id, "?", caller=stranger, now=office.now)
    assert [
        one.id for one in await tasks.department_tasks(office.session, caller=other, after=None, limit=5)
    ] == [task.id]
    await tasks.close_task(office.session, office.ring, task.id, "无意见。", caller=other, now=office.now)
    with pytest.raises(NoSuchCase):
        await reading.read_full_form(*kit(office, case), caller=other, now=office.now)


async def test_the_full_form_is_open_to_the_department_while_the_case_is_and_each_look_is_recorded(
    office: Any,
) -> None:
    case, _, approver = await office.accepted()
    full = await reading.read_full_form(*kit(office, case), caller=approver, now=office.now)
    assert full.form["shop_name"]
    records = (await office.session.scalars(select(AccessRecord))).all()
    assert [(one.actor_id, one.what) for one in records] == [(approver.subject_id, "FORM")]
    await review.terminate_case(*kit(office, case), "申请人丧失资格。", caller=approver, now=office.now)
    with pytest.raises(FormClosed):
        await reading.read_full_form(*kit(office, case), caller=approver, now=office.now)


async def test_an_applicant_takes_a_case_back_until_it_is_decided(office: Any) -> None:
    case, citizen, approver = await office.accepted()
    with pytest.raises(NoSuchCase):
        await review.withdraw_case(*kit(office, case), caller=office.citizen(), now=office.now)
    await office.decide(case, approver)
    with pytest.raises(ActionNotPossible):
        await review.withdraw_case(*kit(office, case), caller=citizen, now=office.now)


async def test_a_result_for_the_window_waits_until_it_is_collected(office: Any) -> None:
    citizen = office.citizen()
    application, plan = await office.draft(citizen, item="HN-430300-002014006001-02")
    application.delivery = "WINDOW"
    await office.fill(application, plan, citizen)
    case = (await office.submit(application, citizen)).cases[0]
    approver = office.approver("HN-430300-RSB")
    await intake.receive_case(*kit(office, case), caller=approver, now=office.now)
    await intake.accept_case(*kit(office, case), AcceptInput(), caller=approver, now=office.now)
    await office.decide(case, approver)
    await completing.after_decision(*kit(office, case), None, now=office.now)
    assert case.status == CaseStatus.DELIVERING
    await completing.finish_case(*kit(office, case), caller=approver, now=office.now)
    assert case.status == CaseStatus.FINISHED


@pytest.mark.parametrize("end", [completing.deliver_case, completing.finish_case])
async def test_a_granted_licence_is_issued_before_its_case_is_delivered_or_finished(
    office: Any, end: Any
) -> None:
    case, _, approver = await office.accepted()
    await office.decide(case, approver)
    with pytest.raises(LicenceOutstanding):
        await end(*kit(office, case), caller=approver, now=office.now)
    await completing.after_decision(*kit(office, case), uuid4(), now=office.now)
    with pytest.raises(LicenceOutstanding if end is completing.deliver_case else ActionNotPossible):
        await end(*kit(office, case), caller=approver, now=office.now)
    assert case.status == CaseStatus.CERTIFYING
