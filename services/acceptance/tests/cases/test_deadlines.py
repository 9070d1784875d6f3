"""The clocks of a case, article by article (行政许可法, 民法典), on the published calendar of 2026."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from acceptance_service.cases.domain.deadlines import (
    CaseClock,
    CaseDue,
    ClockRefused,
    delivery_due,
    intake_timer,
    limit_due,
    recount_intake,
    workdays_from,
)
from acceptance_service.catalogue.domain import Limit, LimitUnit, ProjectType
from gov_rules.calendars import published_calendar

CALENDAR = published_calendar()
# Wednesday 1 July 2026, 10:00 in Shanghai.
MORNING = datetime(2026, 7, 1, 2, 0, tzinfo=UTC)
TWENTY = Limit(20, LimitUnit.WORKDAY)
SEVEN = Limit(7, LimitUnit.WORKDAY)


def clock(
    at: datetime = MORNING,
    statutory: Limit | None = TWENTY,
    promised: Limit | None = SEVEN,
    project_type: ProjectType = ProjectType.PROMISED,
) -> CaseClock:
    return CaseClock.start(at, statutory=statutory, promised=promised, project_type=project_type)


def due(one: CaseClock) -> CaseDue:
    found = one.due(CALENDAR)
    assert found is not None
    return found


def test_civil_code_201_the_day_of_acceptance_is_not_counted() -> None:
    assert due(clock(promised=Limit(1, LimitUnit.WORKDAY))).promised.due_date == date(2026, 7, 2)


def test_article_82_weekends_are_not_counted() -> None:
    assert due(clock()).promised.due_date == date(2026, 7, 10)


def test_article_82_the_national_holiday_and_its_make_up_days_are_counted_as_noticed() -> None:
    before = datetime(2026, 9, 30, 2, 0, tzinfo=UTC)
    assert due(clock(before, promised=Limit(2, LimitUnit.WORKDAY))).promised.due_date == date(2026, 10, 9)


def test_article_42_twenty_days_where_no_guide_states_a_limit() -> None:
    assert due(clock(statutory=None, promised=None)).statutory.due_date == date(2026, 7, 29)


def test_article_42_forty_five_days_for_joint_handling() -> None:
    one = clock(statutory=None, promised=None, project_type=ProjectType.JOINT)
    assert CALENDAR.workdays_between(date(2026, 7, 1), due(one).statutory.due_date) == 45


def test_a_promise_never_outlasts_the_law() -> None:
    one = due(clock(statutory=SEVEN, promised=TWENTY))
    assert one.promised.due_at == one.statutory.due_at


def test_article_42_an_extension_lengthens_both_limits() -> None:
    extended = due(clock().extended(10, MORNING + timedelta(days=2), CALENDAR, joint=False))
    assert extended.promised.due_date == date(2026, 7, 24)
    assert extended.statutory.due_date == date(2026, 8, 12)


def test_article_42_an_extension_makes_no_broken_promise_good() -> None:
    late = MORNING + timedelta(days=12)  # 13 July: the promise ended on the 10th
    extended = due(clock().extended(10, late, CALENDAR, joint=False))
    assert extended.promised.due_date == date(2026, 7, 10)
    assert extended.statutory.due_date == date(2026, 8, 12)
    paused = clock().extended(10, late, CALENDAR, joint=False).suspended(late)
    assert due(paused.resumed(late + timedelta(days=3))).promised.due_date == date(2026, 7, 10)
    assert CaseClock.load(paused.dump()) == paused


def test_article_42_at_most_once() -> None:
    once = clock().extended(3, MORNING, CALENDAR, joint=False)
    with pytest.raises(ClockRefused, match="once"):
        once.extended(3, MORNING, CALENDAR, joint=False)


@pytest.mark.parametrize(("workdays", "joint"), [(11, False), (16, True), (0, False)])
def test_article_42_at_most_ten_days_or_fifteen_joint(workdays: int, *, joint: bool) -> None:
    with pytest.raises(ClockRefused):
        clock().extended(workdays, MORNING, CALENDAR, joint=joint)


def test_article_45_a_special_procedure_is_not_counted() -> None:
    paused = clock().suspended(MORNING + timedelta(days=1))
    assert paused.due(CALENDAR) is None
    resumed = paused.resumed(MORNING + timedelta(days=8))
    assert due(resumed).promised.due_date == date(2026, 7, 17)


def test_article_45_a_suspended_clock_is_not_suspended_again() -> None:
    with pytest.raises(ClockRefused):
        clock().suspended(MORNING).suspended(MORNING)


def test_a_running_clock_is_not_resumed() -> None:
    with pytest.raises(ClockRefused):
        clock().resumed(MORNING)


def test_article_32_five_working_days_from_the_submission() -> None:
    timer = intake_timer(MORNING, CALENDAR)
    assert timer.deadline.due_date == date(2026, 7, 8)


def test_article_32_after_office_hours_counts_as_the_next_working_day() -> None:
    evening = datetime(2026, 7, 3, 12, 0, tzinfo=UTC)  # Friday, 20:00 in Shanghai
    timer = intake_timer(evening, CALENDAR)
    assert timer.received_at.date() == date(2026, 7, 6)
    assert timer.deadline.due_date == date(2026, 7, 13)


def test_article_44_ten_days_to_deliver() -> None:
    assert delivery_due(MORNING, CALENDAR).due_date == date(2026, 7, 15)


def test_the_promised_total_of_a_bundle() -> None:
    assert limit_due(MORNING, Limit(13, LimitUnit.WORKDAY), CALENDAR).due_date == date(2026, 7, 20)


def test_a_year_without_a_notice_is_provisional() -> None:
    late = datetime(2026, 12, 21, 2, 0, tzinfo=UTC)
    assert due(clock(late)).provisional
    assert not due(clock()).provisional


def test_the_intake_deadline_counted_again_on_the_same_calendar_is_the_same() -> None:
    timer = intake_timer(MORNING, CALENDAR)
    assert recount_intake(timer.received_at, CALENDAR) == timer.deadline


@given(st.integers(0, 40), st.integers(0, 40), st.integers(0, 10))
def test_a_clock_survives_being_stored(begin: int, length: int, extension: int) -> None:
    one = clock()
    if extension:
        one = one.extended(extension, MORNING, CALENDAR, joint=False)
    one = one.suspended(MORNING + timedelta(hours=begin)).resumed(MORNING + timedelta(hours=begin + length))
    assert CaseClock.load(one.dump()) == one


@given(st.integers(0, 180), st.integers(0, 30))
def test_a_suspension_never_shortens_a_limit(day: int, days: int) -> None:
    begin = datetime(2026, 1, 1, 3, 0, tzinfo=UTC) + timedelta(days=day)
    running = clock(begin)
    paused = running.suspended(begin + timedelta(days=1)).resumed(begin + timedelta(days=1 + days))
    assert due(paused).promised.due_at >= due(running).promised.due_at


def test_workdays_from_an_instant() -> None:
    assert workdays_from(MORNING, 3, CALENDAR).due_date == date(2026, 7, 6)
