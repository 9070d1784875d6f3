"""Use cases of reviews and rectifications on the real database: rows, outbox, history, secrecy."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from evaluation_service.indicators.handlers import find_drift
from evaluation_service.invitations.domain import AlreadyReviewed, InvitationExpired, NoSuchInvitation
from evaluation_service.invitations.handlers import expire_invitations
from evaluation_service.rectifications.domain import (
    AlreadyReReviewed,
    NoSuchRectification,
    NothingAnswered,
    Outcome,
    Stage,
)
from evaluation_service.rectifications.handlers import answering, reading, supervising
from evaluation_service.rectifications.handlers.overdue import mark_overdue
from evaluation_service.rectifications.models import Rectification
from evaluation_service.reviews import handlers
from evaluation_service.reviews.domain import NoSuchReview, OwnDepartment, WrongReasons
from evaluation_service.reviews.models import Review
from service_common import timeline
from service_common.auth import Caller, NotAPerson
from service_common.contracts.evaluation import Grade
from service_common.crypto import KeyRing
from service_common.db import Database
from service_common.errors import Stale
from service_common.tables import outbox

COMPLAINT = "没有样本，请打19900000001找王小麦。"


class Desk:
    """One contact, its review and what follows."""

    def __init__(self, session: AsyncSession, ring: KeyRing, cast: Any, invite_to: Any) -> None:
        self.session, self.ring, self.cast, self.invite_to = session, ring, cast, invite_to
        self.now = cast.monday
        self.invitation: Any

    async def review(
        self, grade: Grade = Grade.DISSATISFIED, caller: Caller | None = None, **changes: Any
    ) -> Review:
        self.invitation = await self.invite_to(self.session, self.cast.wang)
        new = handlers.NewReview(self.invitation.id, grade, changes.get("reasons", ()), changes.get("text"))
        return await handlers.submit_review(
            self.session,
            self.ring,
            new,
            limits=self.cast.limits,
            caller=caller or self.cast.wang,
            now=self.now,
        )

    async def rectification(self, review_id: UUID) -> Rectification:
        rows = await self.session.scalars(select(Rectification).where(Rectification.review_id == review_id))
        return rows.one()

    async def assign(self, row: Rectification, caller: Caller | None = None) -> Rectification:
        return await answering.assign_rectification(
            self.session,
            row.id,
            assignee="s-1",
            expected=row.version,
            caller=caller or self.cast.market_clerk,
            now=self.now,
        )

    async def contact(self, row: Rectification) -> Rectification:
        return await answering.contact_reviewer(
            self.session,
            self.ring,
            row.id,
            message="正在核实",
            expected=row.version,
            caller=self.cast.market_clerk,
            now=self.now,
        )

    async def answer(self, row: Rectification) -> Rectification:
        return await answering.answer_rectification(
            self.session,
            self.ring,
            row.id,
            answer="已更新指南",
            expected=row.version,
            caller=self.cast.market_clerk,
            now=self.now,
        )

    async def answered(self) -> tuple[Review, Rectification]:
        review = await self.review()
        row = await self.rectification(review.id)
        for step in (self.assign, self.contact, self.answer):
            await step(row)
        return review, row

    async def judge(self, review_id: UUID, *, satisfied: bool) -> None:
        await handlers.re_review(
            self.session, self.ring, review_id, satisfied=satisfied, caller=self.cast.wang, now=self.now
        )

    async def subjects(self) -> list[str]:
        rows = await self.session.scalars(select(outbox.c.subject).order_by(outbox.c.id))
        return [one.removeprefix("gov.evaluation.").removesuffix(".v1") for one in rows]


@pytest.fixture
def desk(session: AsyncSession, ring: KeyRing, cast: Any, invite_to: Callable[..., Any]) -> Desk:
    return Desk(session, ring, cast, invite_to)


async def test_a_good_review_tells_grade_and_department_and_opens_nothing(desk: Desk) -> None:
    review = await desk.review(Grade.VERY_SATISFIED, reasons=["513"])
    assert await desk.subjects() == ["invitation.created", "review.submitted"]
    event = await desk.session.scalar(select(outbox.c.event).where(outbox.c.aggregate_id == review.id))
    assert event is not None
    assert event["data"] == {
        "review_id": str(review.id),
        "grade": "VERY_SATISFIED",
        "department_id": str(desk.cast.market),
        "division": desk.cast.city,
        "item_code": "XT-FOOD-LICENCE",
    }


@pytest.mark.parametrize("grade", [Grade.DISSATISFIED, Grade.VERY_DISSATISFIED])
async def test_a_bad_review_opens_one_rectification_with_its_clock(desk: Desk, grade: Grade) -> None:
    review = await desk.review(grade)
    row = await desk.rectification(review.id)
    assert (row.stage, row.assign_due_date.isoformat()) == (Stage.OPENED, "2026-11-24")
    assert (await desk.subjects())[1:] == ["review.submitted", "rectification.opened"]


async def test_who_reviewed_stands_nowhere_in_clear(desk: Desk) -> None:
    review, row = await desk.answered()
    await desk.judge(review.id, satisfied=True)
    person = desk.cast.wang.subject_id
    for table in ("reviews", "rectifications", "invitations", "timeline_entries", "indicator_counts"):
        for stored in await desk.session.scalars(text(f"SELECT to_jsonb({table})::text FROM {table}")):
            assert person not in stored, table
    about_rectification = await desk.session.scalars(
        select(outbox.c.event).where(outbox.c.aggregate_id.in_([row.id, review.id]))
    )
    assert all(person not in str(event) for event in about_rectification)


async def test_the_inbox_of_the_reviewer_is_told_of_contact_and_answer(desk: Desk) -> None:
    await desk.answered()
    assert (await desk.subjects())[2:] == [
        "rectification.opened",
        "reviewer.informed",
        "rectification.answered",
        "reviewer.informed",
    ]
    informed = await desk.session.scalars(
        select(outbox.c.event["data"]).where(outbox.c.subject == "gov.evaluation.reviewer.informed.v1")
    )
    assert {one["person_id"] for one in informed} == {desk.cast.wang.subject_id}


async def test_the_text_is_sealed_and_the_department_gets_it_screened(desk: Desk) -> None:
    review = await desk.review(text=COMPLAINT)
    for table in ("reviews", "rectifications", "outbox"):
        for stored in await desk.session.scalars(text(f"SELECT to_jsonb({table})::text FROM {table}")):
            assert "样本" not in stored
    row = await desk.rectification(review.id)
    seen = answering.open_texts(desk.ring, row).review
    assert seen == "没有样本，请打＊＊＊找王小麦。"
    published = await handlers.list_published_reviews(
        desk.session, desk.ring, department_id=desk.cast.market, item_code=None, before=None, limit=10
    )
    assert [one.text for one in published] == [seen]
    own = await handlers.read_own_review(desk.session, desk.ring, review.id, caller=desk.cast.wang)
    assert own.text == COMPLAINT


async def test_only_the_invited_person_reviews(desk: Desk) -> None:
    with pytest.raises(NoSuchInvitation):
        await desk.review(caller=desk.cast.li)
    for nobody in (desk.cast.market_clerk, desk.cast.market_partner):
        with pytest.raises(NotAPerson):
            await desk.review(caller=nobody)


async def test_who_works_there_does_not_review_it(desk: Desk) -> None:
    wang = desk.cast.wang
    employed = Caller(wang.subject_id, "person", "app", frozenset(), department_id=desk.cast.market)
    with pytest.raises(OwnDepartment):
        await desk.review(caller=employed)


async def test_a_reason_of_another_grade_changes_nothing(desk: Desk) -> None:
    with pytest.raises(WrongReasons):
        await desk.review(Grade.SATISFIED, reasons=["513"])
    assert await desk.subjects() == ["invitation.created"]


async def test_a_contact_takes_one_review(desk: Desk) -> None:
    await desk.review()
    again = handlers.NewReview(desk.invitation.id, Grade.VERY_SATISFIED, (), None)
    with pytest.raises(AlreadyReviewed):
        await handlers.submit_review(
            desk.session, desk.ring, again, limits=desk.cast.limits, caller=desk.cast.wang, now=desk.now
        )


async def test_the_window_ends_with_its_last_local_day(desk: Desk) -> None:
    desk.now = desk.cast.monday + timedelta(days=10, hours=13, minutes=59)
    await desk.review()
    desk.now += timedelta(minutes=1)
    with pytest.raises(InvitationExpired):
        await desk.review()


async def test_submissions_at_the_same_moment_are_one_review(
    database: Database, ring: KeyRing, cast: Any, invite_to: Callable[..., Any]
) -> None:
    async with database.sessions() as session, session.begin():
        invitation = await invite_to(session, cast.wang)
    new = handlers.NewReview(invitation.id, Grade.VERY_DISSATISFIED, (), None)

    async def submit() -> bool:
        async with database.sessions() as session, session.begin():
            await handlers.submit_review(
                session, ring, new, limits=cast.limits, caller=cast.wang, now=cast.monday
            )
        return True

    results = await asyncio.gather(*(submit() for _ in range(8)), return_exceptions=True)
    assert results.count(True) == 1
    assert all(isinstance(one, AlreadyReviewed) for one in results if one is not True)
    async with database.sessions() as session:
        rows = await session.scalars(select(Review).where(Review.invitation_id == invitation.id))
        assert len(rows.all()) == 1
        assert await find_drift(session) == []


async def test_reviews_of_one_department_at_once_are_all_counted(
    database: Database, ring: KeyRing, cast: Any, invite_to: Callable[..., Any]
) -> None:
    async with database.sessions() as session, session.begin():
        made = [
            (await invite_to(session, cast.wang, item_code=f"ITEM-{number % 3}")).id for number in range(12)
        ]

    async def submit(invitation_id: UUID, grade: Grade) -> None:
        async with database.sessions() as session, session.begin():
            await handlers.submit_review(
                session,
                ring,
                handlers.NewReview(invitation_id, grade, (), None),
                limits=cast.limits,
                caller=cast.wang,
                now=cast.monday,
            )

    grades = list(Grade) * 3
    await asyncio.gather(*(submit(one, grades[place]) for place, one in enumerate(made)))
    async with database.sessions() as session:
        assert await find_drift(session) == []


async def test_a_rectification_is_answered_judged_and_closed(desk: Desk) -> None:
    review, row = await desk.answered()
    await desk.judge(review.id, satisfied=True)
    await supervising.close_rectification(
        desk.session,
        row.id,
        outcome=Outcome.RECTIFIED,
        expected=row.version,
        caller=desk.cast.supervisor,
        now=desk.now,
    )
    assert (row.stage, row.outcome, row.re_review_satisfied) == (Stage.CLOSED, Outcome.RECTIFIED, True)
    assert (await desk.subjects())[-1] == "rectification.closed"
    entries = await timeline.read(desk.session, row.id)
    assert timeline.verify(entries)
    assert [one.action for one in entries] == [
        "opened",
        "assigned",
        "contacted",
        "answered",
        "re_reviewed",
        "closed",
    ]
    own = await handlers.read_own_review(desk.session, desk.ring, review.id, caller=desk.cast.wang)
    assert own.answer is not None
    assert (own.answer.message, own.answer.answer) == ("正在核实", "已更新指南")


async def test_an_unsatisfying_answer_is_sent_back_and_can_be_judged_again(desk: Desk) -> None:
    review, row = await desk.answered()
    await desk.judge(review.id, satisfied=False)
    with pytest.raises(AlreadyReReviewed):
        await desk.judge(review.id, satisfied=True)
    await supervising.send_back(
        desk.session, row.id, expected=row.version, caller=desk.cast.supervisor, now=desk.now
    )
    with pytest.raises(NothingAnswered):
        await desk.judge(review.id, satisfied=True)
    await desk.answer(row)
    await desk.judge(review.id, satisfied=True)
    assert row.re_review_satisfied is True


async def test_a_good_review_has_nothing_to_judge(desk: Desk) -> None:
    review = await desk.review(Grade.SATISFIED)
    with pytest.raises(NothingAnswered):
        await desk.judge(review.id, satisfied=True)


async def test_nobody_judges_for_somebody_else(desk: Desk) -> None:
    review, _row = await desk.answered()
    with pytest.raises(NoSuchReview):
        await handlers.re_review(
            desk.session, desk.ring, review.id, satisfied=True, caller=desk.cast.li, now=desk.now
        )


async def test_a_rectification_is_its_departments_and_its_supervisors_alone(desk: Desk) -> None:
    review = await desk.review()
    row = await desk.rectification(review.id)
    for stranger in (desk.cast.health_clerk, desk.cast.far_supervisor, desk.cast.wang):
        with pytest.raises(NoSuchRectification):
            await reading.read_rectification(desk.session, row.id, caller=stranger)
        with pytest.raises(NoSuchRectification):
            await desk.assign(row, stranger)
    with pytest.raises(NoSuchRectification):  # a supervisor does not answer for the department
        await desk.assign(row, desk.cast.supervisor)
    with pytest.raises(NoSuchRectification):  # and the department does not close its own
        await supervising.send_back(
            desk.session, row.id, expected=row.version, caller=desk.cast.market_clerk, now=desk.now
        )


async def test_a_step_on_an_older_version_is_stale(desk: Desk) -> None:
    row = await desk.rectification((await desk.review()).id)
    old = row.version
    await desk.assign(row)
    with pytest.raises(Stale):
        await answering.contact_reviewer(
            desk.session,
            desk.ring,
            row.id,
            message="x",
            expected=old,
            caller=desk.cast.market_clerk,
            now=desk.now,
        )


async def test_a_missed_limit_is_marked_once_for_each_stage_and_refuses_nobodys_decision(desk: Desk) -> None:
    row = await desk.rectification((await desk.review()).id)
    version = row.version
    assert await mark_overdue(desk.session, now=row.assign_due_at - timedelta(seconds=1)) == 0
    assert await mark_overdue(desk.session, now=row.assign_due_at) == 1
    assert await mark_overdue(desk.session, now=row.assign_due_at) == 0
    await desk.session.refresh(row)
    assert (row.overdue, row.overdue_stage, row.version) == (True, Stage.OPENED, version)
    await desk.assign(row)
    assert await mark_overdue(desk.session, now=row.contact_due_at) == 1
    entries = await timeline.read(desk.session, row.id)
    assert [one.action for one in entries] == ["opened", "overdue", "assigned", "overdue"]


async def test_a_window_that_passes_becomes_a_default_and_no_review(desk: Desk) -> None:
    await desk.invite_to(desk.session, desk.cast.wang)
    assert await expire_invitations(desk.session, now=desk.now) == 0
    assert await expire_invitations(desk.session, now=desk.now + timedelta(days=11)) == 1
    assert await expire_invitations(desk.session, now=desk.now + timedelta(days=11)) == 0
