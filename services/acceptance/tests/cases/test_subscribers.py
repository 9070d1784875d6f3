"""What follows a submission, a decision and a licence: events once, twice and out of order."""

import uuid
from typing import Any

import pytest

from acceptance_service.applications.subscribers import SUBSCRIBERS as LICENCES
from acceptance_service.cases.domain.states import CaseStatus
from acceptance_service.cases.handlers import intake
from acceptance_service.cases.subscribers import subscribers
from service_common.contracts.acceptance import CaseDecided, CaseSubmitted, HolderKind, Outcome
from service_common.contracts.certificates import LicenceIssued, LicenceStatus, LicenceStatusChanged
from service_common.contracts.envelope import CloudEvent
from service_common.http import PeerUnavailable
from service_common.messaging import apply

BUSINESS_LICENCE = "11990000LB0000230M001"
VERIFICATION = "HN-430300-43TCP0018-05"


async def last_event(office: Any, case: Any, contract: type[Any]) -> Any:
    stored = [one for one in await office.events(case.id) if one["type"] == contract.subject][-1]
    return CloudEvent[contract].model_validate(stored)  # type: ignore[valid-type]


async def hear(office: Any, event: Any) -> list[bool]:
    """Every subscriber of the application that listens to this event, as the consumer would run it."""
    ran = []
    for one in (*LICENCES, *subscribers(office.app)):
        if one.event.subject == event.type:
            prepared = await one.prepare(event) if one.prepare else None
            ran.append(await apply(office.session, one, event, prepared))
    return ran


def licence_issued(office: Any, holder: uuid.UUID, case_id: uuid.UUID | None = None, **facts: Any) -> Any:
    known = {
        "licence_id": uuid.uuid4(),
        "identifier": f"1.2.156.3005.2.{BUSINESS_LICENCE}.X.001.0",
        "type_code": BUSINESS_LICENCE,
        "type_name": "营业执照",
        "holder_kind": HolderKind.NATURAL_PERSON,
        "holder_id": holder,
        "case_id": case_id,
        "issuer_department_id": office.approver("HN-430300-SCJG").department_id,
        "licence_version": 1,
    } | facts
    return CloudEvent[LicenceIssued](
        id=uuid.uuid4(),
        type=LicenceIssued.subject,
        source="/certificates",
        subject=known["licence_id"],
        time=office.now,
        revision=1,
        data=LicenceIssued(**known),
    )


def result_issued(office: Any, case: Any, **facts: Any) -> Any:
    """What the library says of the licence that this case was decided for."""
    own = {"type_code": case.licence_type_code, "issuer_department_id": case.department_id}
    return licence_issued(office, case.applicant_id, case.id, **own | facts)


async def granted(office: Any) -> Any:
    case, _, approver = await office.accepted()
    await office.decide(case, approver)
    return case


async def test_a_granted_case_is_certified_and_finished_when_its_licence_is_issued(office: Any) -> None:
    case = await granted(office)
    await hear(office, await last_event(office, case, CaseDecided))
    assert case.status == CaseStatus.CERTIFYING
    issued = result_issued(office, case, type_name="卫生许可证")
    await hear(office, issued)
    await office.session.refresh(case)
    assert case.status == CaseStatus.FINISHED
    assert case.licence_identifier == issued.data.identifier
    assert (await office.event_types(case.id))[-1] == "case.finished"
    assert (await office.event_types(case.application_id))[-1] == "application.finished"
    assert (await office.history(case.id))[-4:] == ["APPROVE", "CERTIFY", "DELIVER", "FINISH"]


async def test_the_order_to_the_library_holds_what_the_form_and_identity_say(office: Any) -> None:
    case = await granted(office)
    await hear(office, await last_event(office, case, CaseDecided))
    (order,) = office.app.state.certificates.orders
    assert order.case_id == case.id
    assert order.surface == {"单位名称": "示例内容一二三四五", "持证人": "王小麦"}
    assert str(order.valid_from) == "2026-07-01"


async def test_news_of_a_decision_twice_orders_one_licence(office: Any) -> None:
    case = await granted(office)
    decided = await last_event(office, case, CaseDecided)
    assert await hear(office, decided) == [True]
    assert await hear(office, decided) == [False]
    assert len(office.app.state.certificates.issued) == 1


async def test_a_licence_that_arrives_before_the_certifying_is_noted_finishes_the_case(office: Any) -> None:
    case = await granted(office)
    decided = await last_event(office, case, CaseDecided)
    issued = result_issued(office, case)
    await hear(office, issued)
    assert case.status == CaseStatus.FINISHED
    await hear(office, decided)
    assert case.status == CaseStatus.FINISHED
    assert office.app.state.certificates.orders == []


async def test_a_licence_delivered_twice_finishes_once(office: Any) -> None:
    case = await granted(office)
    issued = result_issued(office, case)
    await hear(office, issued)
    again = issued.model_copy(update={"id": uuid.uuid4()})
    await hear(office, again)
    assert (await office.event_types(case.id)).count("case.finished") == 1


@pytest.mark.parametrize("foreign", ["issuer_department_id", "type_code", "holder_id"])
async def test_another_departments_or_holders_licence_is_not_the_result_of_the_case_it_names(
    office: Any, foreign: str
) -> None:
    case = await granted(office)
    other = BUSINESS_LICENCE if foreign == "type_code" else uuid.uuid4()
    await hear(office, result_issued(office, case, **{foreign: other}))
    assert (case.status, case.licence_id) == (CaseStatus.DECIDED_APPROVED, None)


async def test_a_library_that_is_down_leaves_the_case_decided(office: Any) -> None:
    case = await granted(office)
    office.app.state.certificates.away = True
    with pytest.raises(PeerUnavailable):
        await hear(office, await last_event(office, case, CaseDecided))
    assert case.status == CaseStatus.DECIDED_APPROVED


async def test_a_result_without_licence_is_finished_at_once(office: Any) -> None:
    case, _, approver = await office.case("HN-430300-002014006001-02")
    await intake.receive_case(office.session, office.ring, case.id, caller=approver, now=office.now)
    await intake.accept_case(
        office.session, office.ring, case.id, intake.AcceptInput(), caller=approver, now=office.now
    )
    await office.decide(case, approver)
    await hear(office, await last_event(office, case, CaseDecided))
    assert case.status == CaseStatus.FINISHED


async def test_a_rejection_is_delivered_and_finished(office: Any) -> None:
    case, _, approver = await office.accepted()
    await office.decide(case, approver, Outcome.REJECTED)
    await hear(office, await last_event(office, case, CaseDecided))
    assert case.status == CaseStatus.FINISHED
    assert (await office.events(case.id))[-1]["data"]["outcome"] == "REJECTED"


async def instant_case(office: Any) -> Any:
    case, _, _ = await office.case()
    case.instant_rule = "business_licence_valid"
    await office.session.flush()
    return case


async def test_a_valid_business_licence_grants_at_once_with_its_evidence(office: Any) -> None:
    case = await instant_case(office)
    await hear(office, licence_issued(office, case.applicant_id))
    await hear(office, await last_event(office, case, CaseSubmitted))
    assert case.status == CaseStatus.DECIDED_APPROVED
    assert case.decided_by == "system"
    decided = (await office.events(case.id))[-1]["data"]
    assert decided["instant"] is True
    assert await office.history(case.id) == ["SUBMIT", "RECEIVE", "ACCEPT", "APPROVE"]


async def test_without_the_licence_a_person_decides(office: Any) -> None:
    case = await instant_case(office)
    await hear(office, await last_event(office, case, CaseSubmitted))
    assert case.status == CaseStatus.SUBMITTED


async def test_a_suspended_licence_grants_nothing_whichever_news_came_first(office: Any) -> None:
    case = await instant_case(office)
    issued = licence_issued(office, case.applicant_id)
    suspended = CloudEvent[LicenceStatusChanged](
        id=uuid.uuid4(),
        type=LicenceStatusChanged.subject,
        source="/certificates",
        subject=issued.subject,
        time=office.now,
        revision=2,
        data=LicenceStatusChanged(**issued.data.model_dump(), status=LicenceStatus.SUSPENDED),
    )
    await hear(office, suspended)
    await hear(office, issued)  # late: revision 1 after revision 2
    await hear(office, await last_event(office, case, CaseSubmitted))
    assert case.status == CaseStatus.SUBMITTED


async def test_somebody_elses_licence_grants_nothing(office: Any) -> None:
    case = await instant_case(office)
    await hear(office, licence_issued(office, uuid.uuid4()))
    await hear(office, await last_event(office, case, CaseSubmitted))
    assert case.status == CaseStatus.SUBMITTED


async def test_news_of_a_submission_twice_decides_once(office: Any) -> None:
    case = await instant_case(office)
    await hear(office, licence_issued(office, case.applicant_id))
    submitted = await last_event(office, case, CaseSubmitted)
    await hear(office, submitted)
    await hear(office, submitted.model_copy(update={"id": uuid.uuid4()}))
    assert (await office.event_types(case.id)).count("case.decided") == 1


async def test_the_licence_verification_of_the_store_carries_the_instant_rule(office: Any) -> None:
    citizen = office.citizen(represents=frozenset({(company := uuid.uuid4())}))
    _, plan = await office.draft(citizen, bundle="43TCP0018", applicant=company)
    rules = {one.item_code: one.instant_rule for one in plan.items}
    assert rules.get(VERIFICATION) == "business_licence_valid"
