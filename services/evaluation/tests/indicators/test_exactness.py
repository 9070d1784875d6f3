"""Whatever happens in whatever order, the kept counts equal a recount of everything."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from evaluation_service.indicators.domain import Dimension
from evaluation_service.indicators.handlers import find_drift, read_indicators
from evaluation_service.indicators.models import IndicatorCount
from evaluation_service.invitations.domain import InvitationState
from evaluation_service.invitations.handlers import expire_invitations
from evaluation_service.invitations.models import Invitation
from evaluation_service.rectifications.domain import Outcome, Stage
from evaluation_service.rectifications.handlers import answering, supervising
from evaluation_service.rectifications.models import Rectification
from evaluation_service.reviews import handlers
from service_common.contracts.evaluation import Grade
from service_common.crypto import KeyRing
from service_common.db import Database, new_id

STEPS = st.one_of(
    st.tuples(st.just("invite"), st.integers(0, 2), st.booleans()),
    st.tuples(st.just("review"), st.integers(0, 20), st.sampled_from(list(Grade))),
    st.tuples(st.just("rectify"), st.integers(0, 20), st.sampled_from(list(Outcome))),
    st.tuples(st.just("wait"), st.integers(1, 12), st.none()),
)


class City:
    """Two departments and three items, with a clock that the steps move."""

    def __init__(self, session: AsyncSession, ring: KeyRing, cast: Any, invite_to: Any) -> None:
        self.session, self.ring, self.cast, self.invite_to = session, ring, cast, invite_to
        self.now = cast.monday

    async def step(self, what: str, number: int, detail: Any) -> None:
        await getattr(self, what)(number, detail)

    async def invite(self, number: int, at_health: bool) -> None:
        department = self.cast.health if at_health else self.cast.market
        item = None if number == 2 else f"ITEM-{number}"
        await self.invite_to(
            self.session, self.cast.wang, department_id=department, item_code=item, now=self.now
        )

    async def review(self, number: int, grade: Grade) -> None:
        query = select(Invitation.id).where(
            Invitation.state == InvitationState.OPEN, Invitation.expires_at > self.now
        )
        open_ones = (await self.session.scalars(query.order_by(Invitation.id))).all()
        if open_ones:
            new = handlers.NewReview(open_ones[number % len(open_ones)], grade, (), None)
            await handlers.submit_review(
                self.session,
                self.ring,
                new,
                limits=self.cast.limits,
                caller=self.cast.wang,
                now=self.now,
            )

    async def rectify(self, number: int, outcome: Outcome) -> None:
        query = select(Rectification).where(Rectification.stage != Stage.CLOSED).order_by(Rectification.id)
        running = (await self.session.scalars(query)).all()
        if not running:
            return
        row = running[number % len(running)]
        clerk = self.cast.market_clerk if row.department_id == self.cast.market else self.cast.health_clerk
        common: dict[str, Any] = {"caller": clerk, "now": self.now}
        if row.stage is Stage.OPENED:
            await answering.assign_rectification(
                self.session, row.id, assignee="s", expected=row.version, **common
            )
        elif row.stage is Stage.ASSIGNED:
            await answering.contact_reviewer(
                self.session, self.ring, row.id, message="m", expected=row.version, **common
            )
        elif row.stage is Stage.CONTACTED:
            await answering.answer_rectification(
                self.session, self.ring, row.id, answer="a", expected=row.version, **common
            )
        else:
            await supervising.close_rectification(
                self.session,
                row.id,
                outcome=outcome,
                expected=row.version,
                caller=self.cast.supervisor,
                now=self.now,
            )

    async def wait(self, days: int, _: None) -> None:
        self.now += timedelta(days=days)
        await expire_invitations(self.session, now=self.now)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, max_size=30))
async def test_counts_equal_a_recount_after_any_history(
    empty_database: Database,
    ring: KeyRing,
    cast: Any,
    invite_to: Callable[..., Any],
    steps: list[tuple[str, int, Any]],
) -> None:
    async with empty_database.sessions() as session, session.begin() as transaction:
        city = City(session, ring, cast, invite_to)
        for step in steps:
            await city.step(*step)
        await session.flush()
        assert await find_drift(session) == []
        await transaction.rollback()


async def test_a_recount_notices_a_count_that_is_off_by_one(
    session: AsyncSession, cast: Any, invite_to: Callable[..., Any]
) -> None:
    await invite_to(session, cast.wang)
    await session.execute(
        update(IndicatorCount)
        .where(IndicatorCount.dimension == Dimension.ITEM)
        .values(contacts=IndicatorCount.contacts + 1)
    )
    assert {row.dimension for row in await find_drift(session)} == {"ITEM"}


async def test_months_are_summed_and_others_left_out(
    session: AsyncSession, cast: Any, invite_to: Callable[..., Any]
) -> None:
    department = new_id()
    for months_days in (0, 30, 60):
        await invite_to(
            session,
            cast.wang,
            department_id=department,
            now=cast.monday + timedelta(days=months_days),
        )
    rows = await read_indicators(
        session,
        Dimension.DEPARTMENT,
        first="2026-11",
        last="2026-12",
        key=str(department),
        limit=10,
    )
    assert [one.counts.contacts for one in rows] == [2]
