"""What the government holds already is not asked again; a peer that is down never blocks."""

import uuid
from typing import Any

from sqlalchemy import select

from acceptance_service.applications.models import Application
from acceptance_service.cases.models import Case
from acceptance_service.clients.identity import Profile
from acceptance_service.submissions.domain import (
    LicenceField,
    PrefillNeeds,
    UsableLicence,
    combine,
    profile_subjects,
)
from acceptance_service.submissions.handlers.applicants import keep_profile
from acceptance_service.submissions.handlers.prefill import prefill_application
from service_common.contracts.acceptance import HolderKind

ITEM = "HN-430300-000123020000-01"
IDENTITY_TYPE = "11100000000013127D001"
NEEDS = PrefillNeeds(
    profile_fields={"contact_name": "person.name", "company": "legal_person.name"},
    licence_fields=(LicenceField("shop", "营业执照", "名称"),),
    licence_materials={"M1": frozenset({"T1", "T2"})},
    profile_materials={"M2": "person.id_number"},
)


def test_values_come_with_their_source_and_the_identity_itself_is_locked() -> None:
    found = combine(NEEDS, {"person.name": "王小麦"}, [], unavailable=[])
    field = found.fields["contact_name"]
    assert (field.value, field.source, field.locked) == ("王小麦", "identity.person.name", True)


def test_a_licence_fills_its_fields_and_stands_in_for_its_copy() -> None:
    licence = UsableLicence(uuid.uuid4(), "1.2.3", "T2", "营业执照", {"名称": "示例店"})
    found = combine(NEEDS, None, [licence], unavailable=[])
    assert found.fields["shop"].value == "示例店"
    assert not found.fields["shop"].locked
    assert found.materials["M1"].licence_id == licence.licence_id


def test_a_verified_value_stands_in_for_its_paper() -> None:
    assert combine(NEEDS, {"person.id_number": "x"}, [], unavailable=[]).materials["M2"].way == "PROFILE"


def test_nothing_known_is_nothing_prefilled() -> None:
    found = combine(NEEDS, None, [], unavailable=["identity"])
    assert (found.fields, found.materials, found.unavailable) == ({}, {}, ("identity",))


def test_no_more_is_asked_of_identity_than_the_plan_uses() -> None:
    company, person = uuid.uuid4(), uuid.uuid4()
    subjects = profile_subjects(NEEDS, HolderKind.LEGAL_PERSON, company, person)
    assert [(one.holder_id, set(one.attributes)) for one in subjects] == [
        (person, {"name", "id_number"}),
        (company, {"name"}),
    ]
    assert [one.holder_id for one in profile_subjects(NEEDS, HolderKind.NATURAL_PERSON, person, person)] == [
        person
    ]


async def ask(office: Any, application: Any, caller: Any) -> Any:
    state = office.app.state
    return await prefill_application(
        state.database,
        state.identity,
        state.certificates,
        application.id,
        ring=office.ring,
        caller=caller,
        now=office.now,
    )


async def test_prefill_of_a_real_item_from_both_peers(office: Any) -> None:
    citizen = office.citizen()
    application, _ = await office.draft(citizen, item=ITEM)
    await office.session.commit()
    office.app.state.certificates.holdings = [
        {
            "id": str(uuid.uuid4()),
            "identifier": "1.2.3",
            "type_code": IDENTITY_TYPE,
            "type_name": "居民身份证",
            "status": "NORMAL",
        }
    ]
    found = await ask(office, application, citizen)
    assert found.fields["contact_phone"].value == "19900000001"
    assert found.materials["M0001230200000115"].way == "LICENCE"
    assert found.unavailable == ()


async def test_an_expired_licence_is_not_offered(office: Any) -> None:
    citizen = office.citizen()
    application, _ = await office.draft(citizen, item=ITEM)
    await office.session.commit()
    office.app.state.certificates.holdings = [
        {
            "id": str(uuid.uuid4()),
            "identifier": "1.2.3",
            "type_code": IDENTITY_TYPE,
            "type_name": "居民身份证",
            "status": "EXPIRED",
        }
    ]
    assert (await ask(office, application, citizen)).materials == {}


async def test_peers_that_are_down_are_named_and_block_nothing(office: Any) -> None:
    citizen = office.citizen()
    application, _ = await office.draft(citizen, item=ITEM)
    await office.session.commit()
    office.app.state.identity.away = True
    office.app.state.certificates.away = True
    found = await ask(office, application, citizen)
    assert found.unavailable == ("certificates", "identity")
    assert found.fields == {}


async def test_the_applicants_name_reaches_lists_masked_and_the_store_sealed(office: Any) -> None:
    receipt = await office.apply(office.citizen(), item=ITEM)
    version = receipt.cases[0].version
    profile = Profile({"name": "王小麦", "id_number": "990101199003070015"})
    await keep_profile(office.session, office.ring, receipt.application.id, profile)
    case = (
        await office.session.scalars(
            select(Case).where(Case.id == receipt.cases[0].id).execution_options(populate_existing=True)
        )
    ).one()
    application = (
        await office.session.scalars(
            select(Application)
            .where(Application.id == receipt.application.id)
            .execution_options(populate_existing=True)
        )
    ).one()
    assert case.applicant_masked == "王**"
    assert case.version == version
    assert "王小麦".encode() not in application.applicant_profile
