"""Steps and clocks of a rectification."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluation_service.rectifications.domain import (
    AlreadyReReviewed,
    Deadlines,
    NothingAnswered,
    Officer,
    Outcome,
    RectificationLimits,
    Stage,
    Step,
    StepNotNow,
    check_re_review,
    is_put_right,
    next_stage,
)
from gov_rules.calendars import published_calendar
from service_common.db import new_id

ORDER = [Stage.OPENED, Stage.ASSIGNED, Stage.CONTACTED, Stage.ANSWERED, Stage.CLOSED]


@given(st.lists(st.sampled_from(list(Step)), max_size=40))
def test_no_order_of_steps_skips_a_stage_or_leaves_the_end(steps: list[Step]) -> None:
    stage = Stage.OPENED
    for step in steps:
        try:
            following = next_stage(stage, step)
        except StepNotNow:
            continue
        forward = ORDER.index(following) - ORDER.index(stage)
        assert forward == (-1 if step is Step.SEND_BACK else 1)
        assert stage is not Stage.CLOSED
        stage = following


def test_the_three_limits_count_working_days() -> None:
    monday = datetime(2026, 11, 23, 2, tzinfo=UTC)
    due = Deadlines.count(RectificationLimits(1, 3, 15), monday, published_calendar())
    assert [one.due_date for one in (due.assign, due.contact, due.rectify)] == [
        date(2026, 11, 24),
        date(2026, 11, 26),
        date(2026, 12, 14),
    ]
    assert not due.rectify.provisional


def test_a_limit_that_reaches_a_year_without_a_notice_is_provisional() -> None:
    december = datetime(2026, 12, 21, 2, tzinfo=UTC)
    due = Deadlines.count(RectificationLimits(1, 3, 15), december, published_calendar())
    assert (due.assign.provisional, due.rectify.provisional) == (False, True)


@pytest.mark.parametrize("stage", [Stage.OPENED, Stage.ASSIGNED, Stage.CONTACTED])
def test_there_is_nothing_to_judge_before_the_answer(stage: Stage) -> None:
    with pytest.raises(NothingAnswered):
        check_re_review(stage, None)


def test_an_answer_is_judged_once() -> None:
    check_re_review(Stage.ANSWERED, None)
    with pytest.raises(AlreadyReReviewed):
        check_re_review(Stage.CLOSED, judged=False)


def test_an_explanation_counts_as_put_right() -> None:
    assert {one for one in Outcome if is_put_right(one)} == {Outcome.RECTIFIED, Outcome.EXPLAINED}


def test_who_sees_a_rectification() -> None:
    own, other = new_id(), new_id()
    district = "430304000000"
    assert Officer(own, "430304000000", supervises=False).sees(own, district)
    assert not Officer(other, "430300000000", supervises=False).sees(own, district)
    assert Officer(other, "430300000000", supervises=True).sees(own, district)
    assert not Officer(other, "430200000000", supervises=True).sees(own, district)
    assert not Officer(None, None, supervises=False).sees(own, district)
