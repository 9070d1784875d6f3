"""A licence stood in for a paper, and fell: seen at the desk, told by name, mended by the applicant. On the real catalogue."""

import uuid
from typing import Any

import pytest

from acceptance_service.applications.domain import LicenceNotUsable, Provision
from acceptance_service.applications.handlers import materials
from acceptance_service.applications.handlers.progress import note_licence
from acceptance_service.bundles.domain import SatisfactionKind
from acceptance_service.cases.domain.rules import LicenceLapsed
from acceptance_service.cases.domain.states import CaseStatus
from acceptance_service.cases.handlers import intake
from acceptance_service.cases.handlers.deciding import decide_by_rule
from acceptance_service.cases.handlers.reading import read_case
from service_common.contracts.acceptance import HolderKind
from service_common.contracts.certificates import LicenceIssued, LicenceStatus

ITEM = "HN-430300-000123020000-01"


async def tell(office: Any, facts: LicenceIssued, status: LicenceStatus, revision: int) -> None:
    await note_licence(office.session, facts, status=status, revision=revision)


def licence(holder: uuid.UUID, type_code: str, **changes: Any) -> LicenceIssued:
    known = {
        "licence_id": uuid.uuid4(),
        "identifier": f"1.2.156.3005.2.{type_code}.11990000LB0000230M.S.001.0",
        "type_code": type_code,
        "type_name": "试验证",
        "holder_kind": HolderKind.NATURAL_PERSON,
        "holder_id": holder,
        "issuer_department_id": uuid.uuid4(),
        "licence_version": 1,
    }
    return LicenceIssued(**known | changes)


async def waived(office: Any) -> tuple[Any, Any, Any, str, LicenceIssued]:
    """A submitted case of which one required material was waived by a licence."""
    citizen = office.citizen()
    application, plan = await office.draft(citizen, item=ITEM)
    material, type_code = next(
        (one, way.licence_type_code)
        for one in plan.materials
        for way in one.satisfied_by
        if way.kind is SatisfactionKind.LICENCE and way.licence_type_code and one.necessity == "REQUIRED"
    )
    await office.fill(application, plan, citizen)
    held = licence(citizen.person_id, type_code)
    await tell(office, held, LicenceStatus.NORMAL, 1)
    given = materials.ProvisionInput(Provision.LICENCE, licence_id=held.licence_id)
    await materials.provide_material(
        office.session, application.id, material.code, given, caller=citizen, now=office.now
    )
    receipt = await office.submit(application, citizen)
    case = receipt.cases[0]
    return case, citizen, office.approver("HN-430300-WSJK"), material.code, held


async def under_review(office: Any) -> tuple[Any, Any, Any, str, LicenceIssued]:
    case, citizen, approver, code, held = await waived(office)
    await intake.receive_case(office.session, office.ring, case.id, caller=approver, now=office.now)
    await intake.accept_case(
        office.session, office.ring, case.id, intake.AcceptInput(), caller=approver, now=office.now
    )
    return case, citizen, approver, code, held


@pytest.mark.parametrize(
    "fallen",
    [LicenceStatus.REVOKED, LicenceStatus.EXPIRED, LicenceStatus.SUSPENDED, LicenceStatus.SUPERSEDED],
)
async def test_what_a_fallen_licence_stood_in_for_is_missing_at_the_decision(
    office: Any, fallen: LicenceStatus
) -> None:
    case, _, approver, code, held = await under_review(office)
    await tell(office, held, fallen, 2)
    with pytest.raises(LicenceLapsed) as refused:
        await office.decide(case, approver)
    assert [(one.pointer, one.code) for one in refused.value.fields] == [
        (f"/materials/{code}", f"licence_{fallen.lower()}")
    ]
    seen = await read_case(office.session, office.ring, case.id, caller=approver)
    assert seen.lapsed == {code: fallen}


async def test_nor_is_the_case_accepted_or_granted_by_rule_with_it(office: Any) -> None:
    case, citizen, approver, _, held = await waived(office)
    case.instant_rule = "business_licence_valid"
    await office.session.flush()
    business = licence(
        citizen.person_id,
        "11990000LB0000230M001",
        issuer_department_id=office.approver("HN-430300-SCJG").department_id,
    )
    await tell(office, business, LicenceStatus.NORMAL, 1)
    await tell(office, held, LicenceStatus.REVOKED, 2)
    assert not await decide_by_rule(office.session, office.ring, case.id, now=office.now)
    await intake.receive_case(office.session, office.ring, case.id, caller=approver, now=office.now)
    with pytest.raises(LicenceLapsed):
        await intake.accept_case(
            office.session, office.ring, case.id, intake.AcceptInput(), caller=approver, now=office.now
        )


async def test_a_licence_that_was_given_back_stands_in_again(office: Any) -> None:
    case, _, approver, _, held = await under_review(office)
    await tell(office, held, LicenceStatus.SUSPENDED, 2)
    await tell(office, held, LicenceStatus.NORMAL, 3)
    assert (await office.decide(case, approver)).status is CaseStatus.DECIDED_APPROVED


async def test_a_new_version_of_the_licence_stands_in_for_the_old_one(office: Any) -> None:
    case, citizen, approver, _, held = await under_review(office)
    await tell(office, held, LicenceStatus.SUPERSEDED, 2)
    await tell(office, licence(citizen.person_id, held.type_code, licence_version=2), LicenceStatus.NORMAL, 1)
    assert (await office.decide(case, approver)).status is CaseStatus.DECIDED_APPROVED


async def test_the_applicant_brings_the_paper_and_the_case_goes_on(office: Any) -> None:
    case, citizen, approver, code, held = await under_review(office)
    await tell(office, held, LicenceStatus.REVOKED, 2)
    again = materials.ProvisionInput(Provision.LICENCE, licence_id=held.licence_id)
    with pytest.raises(LicenceNotUsable):
        await materials.provide_material(
            office.session, case.application_id, code, again, caller=citizen, now=office.now
        )
    paper = materials.ProvisionInput(Provision.FILES, [await office.upload(citizen)])
    await materials.provide_material(
        office.session, case.application_id, code, paper, caller=citizen, now=office.now
    )
    assert (await office.decide(case, approver)).status is CaseStatus.DECIDED_APPROVED


@pytest.mark.parametrize(
    ("department", "type_code"),
    [
        ("HN-430300-GA", "11990000LB0000230M001"),
        (None, "11990000LB0000230M001"),
        ("HN-430300-SCJG", "X" * 21),
    ],
)
async def test_instant_approval_believes_no_name_of_a_type(
    office: Any, department: str | None, type_code: str
) -> None:
    """A licence that calls itself 营业执照, of another type or another department's, grants nothing."""
    case, citizen, _ = await office.case()
    case.instant_rule = "business_licence_valid"
    await office.session.flush()
    issuer = office.approver(department).department_id if department else uuid.uuid4()
    forged = licence(citizen.person_id, type_code, type_name="营业执照", issuer_department_id=issuer)
    await tell(office, forged, LicenceStatus.NORMAL, 1)
    assert not await decide_by_rule(office.session, office.ring, case.id, now=office.now)
    assert case.status is CaseStatus.SUBMITTED
