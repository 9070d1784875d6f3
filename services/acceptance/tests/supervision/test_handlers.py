"""The timer looks at cases: cards once, silence accepts, a missing correction ends."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from acceptance_service.cases.domain.rules import TaskKind
from acceptance_service.cases.domain.states import CaseStatus
from acceptance_service.cases.handlers import completing, intake, review, tasks
from acceptance_service.cases.models import Case
from acceptance_service.catalogue.handlers.imports import _IMPORT_LOCK
from acceptance_service.supervision.domain import CardClosed, CardStatus, NoSuchCard
from acceptance_service.supervision.handlers import (
    cases_to_look_at,
    explain_card,
    list_cards,
    look_at_case,
    verify_card,
)
from acceptance_service.supervision.models import Card
from acceptance_service.supervision.sweeper import sweep, sweep_if_leading
from gov_rules.licensing_law import SpecialProcedure
from service_common.contracts.acceptance import Outcome


async def look(office: Any, case: Any) -> None:
    await look_at_case(office.session, office.ring, case.id, now=office.now)
    await office.session.refresh(case)


async def cards(office: Any, case: Any) -> set[tuple[str, str]]:
    rows = await office.session.scalars(select(Card).where(Card.case_id == case.id))
    return {(row.rule, row.level.value) for row in rows}


async def test_a_fresh_case_has_no_card_and_is_looked_at_again_in_time(office: Any) -> None:
    case, _, _ = await office.case()
    await look(office, case)
    assert await cards(office, case) == set()
    assert case.sweep_at is not None
    assert office.now < case.sweep_at <= case.intake_due_at


async def test_an_unanswered_submission_is_carded_step_by_step_and_then_accepted_by_law(office: Any) -> None:
    case, _, _ = await office.case()
    office.later(days=6)  # Tuesday 7 July: the fourth working day
    await look(office, case)
    assert await cards(office, case) == {
        ("PRE_CHECK", "WARNING"),
        ("PRE_CHECK", "YELLOW"),
        ("PRE_CHECK", "RED"),
        ("INTAKE", "WARNING"),
    }
    office.later(days=2)  # Thursday 9 July: the fifth day has passed in silence
    await look(office, case)
    assert ("INTAKE", "YELLOW") in await cards(office, case)
    assert case.status is CaseStatus.ACCEPTED
    assert case.deemed_accepted
    assert case.accepted_at == case.intake_received_at
    assert str(case.promised_due_on) == "2026-07-10"
    accepted = (await office.events(case.id))[-1]
    assert (accepted["type"], accepted["data"]["deemed"]) == ("gov.acceptance.case.accepted.v1", True)


async def test_article_32_a_returned_case_is_accepted_by_silence_too(office: Any) -> None:
    case, _, approver = await office.case()
    await intake.return_case(
        office.session, office.ring, case.id, "请修改。", caller=approver, now=office.now
    )
    office.later(days=8)
    await look(office, case)
    assert case.deemed_accepted


async def test_an_answered_case_is_not_accepted_by_silence(office: Any) -> None:
    case, _, approver = await office.case()
    await intake.receive_case(office.session, office.ring, case.id, caller=approver, now=office.now)
    missing = [intake.Missing("M1", "缺少公章")]
    await intake.request_correction(
        office.session, office.ring, case.id, missing, caller=approver, now=office.now
    )
    office.later(days=10)
    await look(office, case)
    assert case.status is CaseStatus.CORRECTION


async def test_a_correction_that_never_comes_ends_the_case_in_writing(office: Any) -> None:
    case, _, approver = await office.case()
    await intake.receive_case(office.session, office.ring, case.id, caller=approver, now=office.now)
    missing = [intake.Missing("M1", "缺少公章")]
    await intake.request_correction(
        office.session, office.ring, case.id, missing, caller=approver, now=office.now
    )
    office.later(days=60)
    await look(office, case)
    assert case.status is CaseStatus.NOT_ACCEPTED
    assert (await office.events(case.id))[-1]["type"] == "gov.acceptance.case.not-accepted.v1"
    assert case.sweep_at is None


async def test_looking_twice_cards_once(office: Any) -> None:
    case, _, _ = await office.accepted()
    office.later(days=11)
    await look(office, case)
    await look(office, case)
    found = (await office.session.scalars(select(Card).where(Card.case_id == case.id))).all()
    assert {(one.rule, one.level.value) for one in found} == {("FINISH", "WARNING"), ("FINISH", "YELLOW")}
    for card in found:
        assert await office.event_types(card.id) == ["card.issued"]
        assert await office.history(card.id) == ["ISSUED"]
    assert (await office.history(case.id)).count("CARDED") == 2


async def test_looking_at_a_case_makes_no_etag_stale(office: Any) -> None:
    case, _, _ = await office.accepted()
    version = case.version
    office.later(days=11)
    await look(office, case)
    assert case.version == version


async def test_a_suspended_case_is_not_carded_for_its_total_time(office: Any) -> None:
    case, _, approver = await office.accepted()
    await review.suspend_case(
        office.session,
        office.ring,
        case.id,
        SpecialProcedure.TESTING,
        reason="检测。",
        planned_workdays=5,
        caller=approver,
        now=office.now,
    )
    office.later(days=8)
    await look(office, case)
    assert await cards(office, case) == {("SPECIAL_PROCEDURE", "WARNING"), ("SPECIAL_PROCEDURE", "YELLOW")}


async def test_a_task_over_its_limit_is_carded_although_the_total_is_not(office: Any) -> None:
    case, _, approver = await office.accepted()
    step = tasks.TaskInput(TaskKind.STEP, "初审", limit_workdays=1)
    await tasks.open_task(office.session, office.ring, case.id, step, caller=approver, now=office.now)
    office.later(days=2)
    await look(office, case)
    assert await cards(office, case) == {("STEP", "WARNING"), ("STEP", "YELLOW")}


async def test_an_ended_case_is_never_looked_at_again(office: Any) -> None:
    case, citizen, _ = await office.case()
    await review.withdraw_case(office.session, office.ring, case.id, caller=citizen, now=office.now)
    assert case.sweep_at is None


async def test_a_case_in_hand_is_left_alone_for_a_while(office: Any) -> None:
    case, _, _ = await office.case()
    assert list(await cases_to_look_at(office.session, now=office.now)) == [case.id]
    assert list(await cases_to_look_at(office.session, now=office.now)) == []
    later = office.now + timedelta(minutes=6)
    assert list(await cases_to_look_at(office.session, now=later)) == [case.id]


async def test_a_round_of_the_sweeper_does_all_that_is_due(office: Any) -> None:
    first, _, _ = await office.case()
    second, _, _ = await office.accepted()
    await office.session.commit()
    office.later(days=9)
    database = office.app.state.database
    assert await sweep(database, office.ring, now=office.now) == 2
    assert await sweep(database, office.ring, now=office.now) == 0
    await office.session.refresh(first)
    assert first.deemed_accepted
    assert ("FINISH", "WARNING") in await cards(office, second)
    assert ("FINISH", "WARNING") in await cards(office, first)


async def test_only_one_process_sweeps(office: Any) -> None:
    database = office.app.state.database
    async with database.engine.connect() as other:
        await other.exec_driver_sql("SELECT pg_advisory_lock(7210101)")
        assert not await sweep_if_leading(database, office.ring, now=office.now)
        await other.exec_driver_sql("SELECT pg_advisory_unlock(7210101)")


async def test_an_import_of_the_catalogue_does_not_keep_the_timer_from_its_work(office: Any) -> None:
    database = office.app.state.database
    async with database.engine.connect() as other:
        await other.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_IMPORT_LOCK})")
        assert await sweep_if_leading(database, office.ring, now=office.now)


async def carded(office: Any) -> tuple[Any, Any]:
    case, _, approver = await office.accepted()
    office.later(days=11)
    await look(office, case)
    card = await office.session.scalar(select(Card).where(Card.case_id == case.id, Card.level == "YELLOW"))
    return card, approver


async def test_a_card_is_explained_and_cancelled_and_never_deleted(office: Any) -> None:
    card, approver = await carded(office)
    supervisor = replace(office.approver("HN-430300-SCJG"), roles=frozenset({"supervisor"}))
    await explain_card(office.session, office.ring, card.id, "系统故障。", caller=approver, now=office.now)
    await verify_card(
        office.session, office.ring, card.id, "属实。", uphold=False, caller=supervisor, now=office.now
    )
    assert card.status is CardStatus.CANCELLED
    assert await office.event_types(card.id) == ["card.issued", "card.cancelled"]
    assert await office.history(card.id) == ["ISSUED", "EXPLAINED", "CANCELLED"]
    with pytest.raises(CardClosed):
        await explain_card(office.session, office.ring, card.id, "再说。", caller=approver, now=office.now)


async def test_cards_are_seen_by_their_department_and_by_supervision_of_the_division(office: Any) -> None:
    card, approver = await carded(office)

    async def seen(caller: Any) -> bool:
        rows = await list_cards(office.session, caller=caller, after=None, limit=20)
        return card.id in {row.id for row in rows}

    elsewhere = office.approver("HN-430300-SCJG")
    assert await seen(approver)
    assert not await seen(elsewhere)
    supervisor = replace(elsewhere, roles=frozenset({"supervisor"}))
    assert await seen(supervisor)
    assert await seen(replace(supervisor, division="430000000000"))
    assert not await seen(replace(supervisor, division="430100000000"))
    assert not await seen(replace(supervisor, division="430300999000"))  # 本级: that level alone
    with pytest.raises(NoSuchCard):
        await explain_card(office.session, office.ring, card.id, "?", caller=elsewhere, now=office.now)
    with pytest.raises(NoSuchCard):
        await verify_card(
            office.session,
            office.ring,
            card.id,
            "?",
            uphold=True,
            caller=replace(supervisor, division="430100000000"),
            now=office.now,
        )


async def test_a_case_without_a_next_moment_sleeps(office: Any) -> None:
    case, _, _ = await office.case()
    await office.session.execute(update(Case).where(Case.id == case.id).values(sweep_at=None))
    assert list(await cases_to_look_at(office.session, now=office.now + timedelta(days=99))) == []


async def test_a_decision_after_its_time_is_carded_although_nobody_looked_before(office: Any) -> None:
    case, _, approver = await office.accepted("HN-430300-002014006001-02")
    office.later(days=200)
    await office.decide(case, approver, Outcome.REJECTED)
    await completing.after_decision(office.session, office.ring, case.id, None, now=office.now)
    assert case.status is CaseStatus.FINISHED
    assert case.id in await cases_to_look_at(office.session, now=office.now)
    await look(office, case)
    assert await cards(office, case) == {("FINISH", "YELLOW"), ("FINISH", "RED")}
    assert case.sweep_at is None


async def test_a_late_step_is_carded_although_it_is_done_when_somebody_looks(office: Any) -> None:
    case, _, approver = await office.accepted("HN-430300-002014006001-02")
    given = tasks.TaskInput(TaskKind.STEP, "核对", limit_workdays=1)
    task = await tasks.open_task(office.session, office.ring, case.id, given, caller=approver, now=office.now)
    office.later(days=2)
    await tasks.close_task(office.session, office.ring, task.id, "相符。", caller=approver, now=office.now)
    await look(office, case)
    assert ("STEP", "YELLOW") in await cards(office, case)


async def test_what_ends_in_time_earns_no_card_however_late_somebody_looks(office: Any) -> None:
    case, _, approver = await office.accepted("HN-430300-002014006001-02")
    await office.decide(case, approver)
    await completing.after_decision(office.session, office.ring, case.id, None, now=office.now)
    assert case.sweep_at is None
    office.later(days=200)
    await look(office, case)
    assert await cards(office, case) == set()
