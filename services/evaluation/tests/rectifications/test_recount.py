"""Running limits on a newer calendar: the saved sample makes the Tuesday after the tests' Monday a day off."""

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from evaluation_service.rectifications.domain import Stage
from evaluation_service.rectifications.handlers.answering import assign_rectification
from evaluation_service.rectifications.handlers.overdue import mark_overdue
from evaluation_service.rectifications.handlers.recount import recount_deadlines
from evaluation_service.rectifications.models import Rectification
from evaluation_service.reviews.handlers import NewReview, submit_review
from service_common import timeline
from service_common.contracts.acceptance import CalendarChanged
from service_common.contracts.evaluation import Grade
from service_common.crypto import KeyRing
from service_common.messaging import apply
from service_common.work_calendar import calendar_subscriber

SUBSCRIBER = calendar_subscriber("evaluation")
SAMPLE = Path(__file__).parents[4] / f"tests/contracts/samples/{CalendarChanged.subject}.json"


async def hear_of_the_notice(session: AsyncSession) -> None:
    assert await apply(session, SUBSCRIBER, SUBSCRIBER.read(SAMPLE.read_bytes()))


@pytest.fixture
async def bad(
    session: AsyncSession, ring: KeyRing, cast: Any, invite_to: Callable[..., Any]
) -> Rectification:
    """The rectification of a bad review of Monday."""
    invitation = await invite_to(session, cast.wang)
    new = NewReview(invitation.id, Grade.DISSATISFIED, (), None)
    review = await submit_review(session, ring, new, limits=cast.limits, caller=cast.wang, now=cast.monday)
    return (await session.scalars(select(Rectification).where(Rectification.review_id == review.id))).one()


async def histories(session: AsyncSession, row: Rectification, action: str) -> list[dict[str, Any]]:
    entries = await timeline.read(session, row.id)
    assert timeline.verify(entries)
    return [one.facts for one in entries if one.action == action]


async def test_a_notice_moves_running_limits_once_and_keeps_the_old_ones_in_the_history(
    session: AsyncSession, bad: Rectification, cast: Any
) -> None:
    assert (bad.assign_due_date, bad.contact_due_date) == (date(2026, 11, 24), date(2026, 11, 26))
    await hear_of_the_notice(session)
    assert await recount_deadlines(session, now=cast.monday) == 1
    assert await recount_deadlines(session, now=cast.monday) == 0
    assert (bad.assign_due_date, bad.contact_due_date) == (date(2026, 11, 25), date(2026, 11, 27))
    assert bad.rectify_due_date == date(2026, 12, 14)  # the make-up Saturday gives the day back
    assert bad.calendar_version == "cn-2026.2"
    [facts] = await histories(session, bad, "deadlines_recounted")
    assert (facts["old"]["calendar"], facts["new"]["calendar"]) == ("cn-2026.1", "cn-2026.2")


async def test_the_limits_it_began_with_count_and_not_todays(
    session: AsyncSession, bad: Rectification, cast: Any
) -> None:
    bad.limit_workdays = [2, 3, 15]  # as a region had set them
    await hear_of_the_notice(session)
    await recount_deadlines(session, now=cast.monday)
    assert bad.assign_due_date == date(2026, 11, 26)


async def test_a_mark_of_lateness_that_the_notice_contradicts_is_taken_back(
    session: AsyncSession, bad: Rectification, cast: Any
) -> None:
    wednesday = cast.monday + timedelta(days=2)
    assert await mark_overdue(session, now=wednesday) == 1
    await hear_of_the_notice(session)
    await session.refresh(bad)
    await recount_deadlines(session, now=wednesday)
    assert (bad.overdue, bad.overdue_stage) == (False, None)
    assert await mark_overdue(session, now=wednesday) == 0


async def test_an_earlier_stage_that_was_late_stays_marked(
    session: AsyncSession, bad: Rectification, cast: Any
) -> None:
    friday = cast.monday + timedelta(days=4)
    await mark_overdue(session, now=friday)
    await session.refresh(bad)
    await assign_rectification(
        session, bad.id, assignee="s-1", expected=bad.version, caller=cast.market_clerk, now=friday
    )
    await mark_overdue(session, now=friday)
    await session.refresh(bad)
    assert (bad.overdue, bad.overdue_stage) == (True, Stage.ASSIGNED)
    await hear_of_the_notice(session)
    await recount_deadlines(session, now=friday)
    await session.refresh(bad)
    assert bad.overdue
    assert bad.overdue_stage is None
