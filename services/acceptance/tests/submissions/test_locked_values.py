"""What identity has verified cannot be contradicted by a form, and nobody is blocked while identity is away."""

import uuid
from typing import Any

import pytest

from acceptance_service.applications.handlers import drafts
from acceptance_service.applications.repository import find_application, read_form
from acceptance_service.applications.verified_values import LockedValuesChanged, PrefillNeeded, locked_fields
from acceptance_service.cases.handlers import intake
from acceptance_service.cases.handlers.reading import read_full_form
from acceptance_service.submissions.handlers.prefill import prefill_application

ITEM = "HN-430300-000123020000-01"
FIELD = "contact_name"


async def prefill(office: Any, application: Any, caller: Any) -> None:
    state = office.app.state
    await office.session.commit()
    await prefill_application(
        state.database,
        state.identity,
        state.certificates,
        application.id,
        ring=office.ring,
        caller=caller,
        now=office.now,
    )
    await office.session.refresh(application)


async def write(office: Any, application: Any, caller: Any, **changes: str) -> None:
    form = await read_form(office.session, office.ring, application.id, application.form_revision)
    await drafts.save_form(
        office.session, office.ring, application.id, form | changes, caller=caller, now=office.now
    )


async def filled(office: Any) -> tuple[Any, Any]:
    citizen = office.citizen()
    application, plan = await office.draft(citizen, item=ITEM)
    await office.fill(application, plan, citizen)
    assert locked_fields(plan.form_schema)[FIELD] == "person.name"
    return application, citizen


async def test_a_changed_locked_value_is_refused_by_its_field_and_without_the_value(office: Any) -> None:
    application, citizen = await filled(office)
    await write(office, application, citizen, **{FIELD: "冒名者"})
    with pytest.raises(LockedValuesChanged) as refused:
        await office.submit(application, citizen)
    assert [(one.pointer, one.code) for one in refused.value.fields] == [
        (f"/form/{FIELD}", "locked_value_changed")
    ]
    assert "冒名者" not in str(refused.value.fields) + str(refused.value)


async def test_who_never_asked_for_the_prefill_is_told_to(office: Any) -> None:
    application, citizen = await filled(office)
    application.verified_values = None
    await office.session.flush()
    with pytest.raises(PrefillNeeded) as refused:
        await office.submit(application, citizen)
    assert f"/form/{FIELD}" in {one.pointer for one in refused.value.fields}
    await prefill(office, application, citizen)
    assert (await office.submit(application, citizen)).application.number


async def test_a_value_that_changed_at_the_register_is_noticed_after_a_day(office: Any) -> None:
    """The draft of yesterday names who the register no longer knows by that name."""
    application, citizen = await filled(office)
    office.later(hours=25)
    with pytest.raises(PrefillNeeded):
        await office.submit(application, citizen)
    await drafts.remember_verified(
        office.session,
        office.ring,
        application.id,
        asked=["person.name"],
        verified={"person.name": "王大麦"},
        now=office.now,
    )
    await office.session.refresh(application)
    with pytest.raises(LockedValuesChanged):
        await office.submit(application, citizen)
    await write(office, application, citizen, **{FIELD: "王大麦"})
    assert (await office.submit(application, citizen)).application.number


async def test_while_identity_is_away_nobody_is_blocked_and_the_desk_sees_what_is_unverified(
    office: Any,
) -> None:
    application, citizen = await filled(office)
    application.verified_values = None
    office.app.state.identity.away = True
    await prefill(office, application, citizen)
    receipt = await office.submit(application, citizen)
    seen = await read_full_form(
        office.session,
        office.ring,
        receipt.cases[0].id,
        caller=office.approver("HN-430300-WSJK"),
        now=office.now,
    )
    assert seen.unverified == [FIELD]


async def test_an_outage_forgets_nothing_that_was_verified_before(office: Any) -> None:
    application, citizen = await filled(office)
    await write(office, application, citizen, **{FIELD: "冒名者"})
    office.app.state.identity.away = True
    await prefill(office, application, citizen)
    with pytest.raises(LockedValuesChanged):
        await office.submit(application, citizen)


async def test_what_was_sent_back_is_held_to_it_too(office: Any) -> None:
    case, citizen, approver = await office.case()
    await intake.return_case(office.session, office.ring, case.id, "请核对", caller=approver, now=office.now)
    application = await find_application(office.session, case.application_id, lock=False)
    with pytest.raises(LockedValuesChanged):
        async with office.session.begin_nested():
            await write(office, application, citizen, **{FIELD: "冒名者"})
    await office.session.refresh(application)
    await write(office, application, citizen, shop_name="另一字号一二三")


async def test_digests_of_two_applications_cannot_be_compared(office: Any) -> None:
    digest = drafts.verified_digest(office.ring, uuid.uuid4())
    other = drafts.verified_digest(office.ring, uuid.uuid4())
    assert digest("person.name", "王小麦") != other("person.name", "王小麦")
