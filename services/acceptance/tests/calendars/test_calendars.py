"""The holiday notice: loaded once, checked, and every open deadline counted again with its old value kept."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import select, text

from acceptance_service.calendars.domain import NoticeRefused, missing_years
from acceptance_service.calendars.handlers import NoticeInput, load_notice, read_calendar
from acceptance_service.cases.domain.rules import TaskKind
from acceptance_service.cases.handlers import intake, review, tasks
from acceptance_service.cases.repository import running_procedure
from acceptance_service.supervision.handlers import cases_on_older_calendars, recount_deadlines
from gov_rules.calendars import published_calendar
from gov_rules.licensing_law import SpecialProcedure
from gov_rules.notices import NoticeDay
from gov_rules.statutory_holidays import statutory_holidays
from service_common import timeline
from service_common.auth import Caller
from service_common.contracts.acceptance import CalendarChanged
from service_common.tables import outbox
from service_common.work_calendar import current_calendar

OPERATOR = Caller("operator-1", "staff", "desk", frozenset(), roles=frozenset({"operator"}))
# A day off in the middle of the tests' summer.
AMENDMENT = NoticeInput(
    2026, "cn-2026.2", "测试通知", amends=True, days=[(date(2026, 7, 3), NoticeDay.HOLIDAY, "抗洪")]
)


def whole_year(year: int, version: str) -> NoticeInput:
    days = [(day, NoticeDay.HOLIDAY, name) for day, name in statutory_holidays(year).items()]
    return NoticeInput(year, version, "测试通知", amends=False, days=days)


def test_each_november_the_next_years_notice_is_missed() -> None:
    assert missing_years(published_calendar(), date(2026, 7, 1)) == []
    assert missing_years(published_calendar(), date(2026, 11, 22)) == [2027]


async def test_without_a_notice_the_published_calendar_applies(office: Any) -> None:
    assert (await current_calendar(office.session)).version == "cn-2026.1"


async def test_a_notice_makes_the_next_year_certain(office: Any) -> None:
    november = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)
    assert (await read_calendar(office.session, now=november)).missing_years == [2027]
    await load_notice(office.session, whole_year(2027, "cn-2027.1"), caller=OPERATOR, now=november)
    state = await read_calendar(office.session, now=november)
    assert (state.calendar.version, state.missing_years) == ("cn-2027.1", [])


@pytest.mark.parametrize(
    ("notice", "code"),
    [
        (NoticeInput(2027, "2027", "x", amends=False, days=[]), "notice_version"),
        (NoticeInput(2027, "cn-2027.1", "x", amends=False, days=[]), "notice_statutory_day_missing"),
        (whole_year(2026, "cn-2026.1"), "notice_version_order"),
        (
            NoticeInput(
                2028, "cn-2028.1", "x", amends=True, days=[(date(2028, 7, 3), NoticeDay.HOLIDAY, "x")]
            ),
            "notice_amends_unpublished",
        ),
    ],
)
async def test_a_faulty_notice_changes_nothing(office: Any, notice: NoticeInput, code: str) -> None:
    with pytest.raises(NoticeRefused) as refused:
        await load_notice(office.session, notice, caller=OPERATOR, now=office.now)
    assert code in {one.code for one in refused.value.fields}
    assert await office.session.scalar(text("SELECT count(*) FROM calendar_notices")) == 0


async def test_the_same_notice_is_not_loaded_twice(office: Any) -> None:
    await load_notice(office.session, AMENDMENT, caller=OPERATOR, now=office.now)
    with pytest.raises(NoticeRefused):
        await load_notice(office.session, AMENDMENT, caller=OPERATOR, now=office.now)


async def test_a_notice_moves_open_deadlines_and_keeps_the_old_ones_in_the_timeline(office: Any) -> None:
    accepted, _, _ = await office.accepted()
    submitted, _, _ = await office.case()
    await load_notice(office.session, AMENDMENT, caller=OPERATOR, now=office.now)
    stale = await cases_on_older_calendars(office.session)
    assert set(stale) == {accepted.id, submitted.id}
    for case_id in stale:
        await recount_deadlines(office.session, case_id, now=office.now)
    assert str(accepted.promised_due_on) == "2026-07-13"
    assert str(submitted.intake_due_on) == "2026-07-09"
    assert accepted.calendar_version == "cn-2026.2"
    recounted = (await timeline.read(office.session, accepted.id))[-1]
    assert recounted.action == "DEADLINES_RECOUNTED"
    assert recounted.facts["old"]["promised_due_on"] == "2026-07-10"
    assert recounted.facts["new"]["promised_due_on"] == "2026-07-13"
    assert await cases_on_older_calendars(office.session) == []


async def test_the_ten_days_to_deliver_are_counted_again_too(office: Any) -> None:
    case, _, approver = await office.accepted()
    await office.decide(case, approver)
    await load_notice(office.session, AMENDMENT, caller=OPERATOR, now=office.now)
    await recount_deadlines(office.session, case.id, now=office.now)
    facts = (await timeline.read(office.session, case.id))[-1].facts
    told = [facts[one]["delivery_due_on"] for one in ("old", "new")]
    assert told == ["2026-07-15", "2026-07-16"]
    assert case.delivery_due_at == datetime(2026, 7, 16, 16, tzinfo=UTC)


async def test_counting_again_twice_writes_once(office: Any) -> None:
    case, _, _ = await office.accepted()
    await load_notice(office.session, AMENDMENT, caller=OPERATOR, now=office.now)
    await recount_deadlines(office.session, case.id, now=office.now)
    await recount_deadlines(office.session, case.id, now=office.now)
    assert (await office.history(case.id)).count("DEADLINES_RECOUNTED") == 1


async def test_each_notice_is_told_with_those_before_it(office: Any) -> None:
    await load_notice(office.session, AMENDMENT, caller=OPERATOR, now=office.now)
    await load_notice(office.session, whole_year(2027, "cn-2027.1"), caller=OPERATOR, now=office.now)
    told = await office.session.execute(
        select(outbox.c.revision, outbox.c.event)
        .where(outbox.c.subject == CalendarChanged.subject)
        .order_by(outbox.c.revision)
    )
    facts = [(row.revision, CalendarChanged.model_validate(row.event["data"])) for row in told]
    assert [revision for revision, _ in facts] == [1, 2]
    assert [[one.version for one in event.notices] for _, event in facts] == [
        ["cn-2026.2"],
        ["cn-2026.2", "cn-2027.1"],
    ]
    [day] = facts[0][1].notices[0].days
    assert (day.day, day.is_workday, day.name) == (date(2026, 7, 3), False, "抗洪")


# A Saturday of that summer to work on: every period that reaches beyond it ends a day earlier.
WORK_ON_SATURDAY = NoticeInput(
    2026, "cn-2026.2", "测试通知", amends=True, days=[(date(2026, 7, 4), NoticeDay.WORKDAY, "调休")]
)


async def _recounted(office: Any, case: Any, notice: NoticeInput) -> dict[str, list[Any]]:
    """Old and new days, by name, after the notice."""
    await load_notice(office.session, notice, caller=OPERATOR, now=office.now)
    await recount_deadlines(office.session, case.id, now=office.now)
    facts = (await timeline.read(office.session, case.id))[-1].facts
    return {name: [facts["old"][name], facts["new"][name]] for name in facts["old"]}


async def test_a_task_and_a_special_procedure_are_counted_again(office: Any) -> None:
    case, _, approver = await office.accepted()
    act = (office.session, office.ring, case.id)
    task = await tasks.open_task(
        *act,
        tasks.TaskInput(TaskKind.STEP, "现场核查准备", limit_workdays=3),
        caller=approver,
        now=office.now,
    )
    await review.suspend_case(
        *act,
        SpecialProcedure.EXPERT_REVIEW,
        reason="需组织专家评审。",
        planned_workdays=5,
        caller=approver,
        now=office.now,
    )
    told = await _recounted(office, case, WORK_ON_SATURDAY)
    assert [days[str(task.id)] for days in told["tasks"]] == ["2026-07-06", "2026-07-04"]
    assert task.due_at == datetime(2026, 7, 4, 16, tzinfo=UTC)
    running = await running_procedure(office.session, case.id)
    assert running is not None
    assert running.planned_end_at == datetime(2026, 7, 7, 16, tzinfo=UTC)


@pytest.mark.parametrize(
    ("notice", "days"),
    [(AMENDMENT, ["2026-08-12", "2026-08-13"]), (WORK_ON_SATURDAY, ["2026-08-12", "2026-08-12"])],
)
async def test_the_time_to_correct_moves_later_and_never_earlier(
    office: Any, notice: NoticeInput, days: list[str]
) -> None:
    """The day stands in the written notice: the applicant relies on it."""
    case, _, approver = await office.case()
    act = (office.session, office.ring, case.id)
    await intake.receive_case(*act, caller=approver, now=office.now)
    await intake.request_correction(*act, [intake.Missing("M1", "缺页")], caller=approver, now=office.now)
    assert (await _recounted(office, case, notice))["correction_due_on"] == days


@pytest.mark.parametrize(
    ("notice", "days"),
    [(AMENDMENT, ["2026-07-08", "2026-07-09"]), (WORK_ON_SATURDAY, ["2026-07-08", "2026-07-08"])],
)
async def test_the_time_to_supplement_too(office: Any, notice: NoticeInput, days: list[str]) -> None:
    case, _, _ = await office.accepted()
    case.supplement_workdays = 5
    case.supplement_due_at = datetime(2026, 7, 8, 16, tzinfo=UTC)
    await office.session.flush()
    assert (await _recounted(office, case, notice))["supplement_due_on"] == days
