"""Running deadlines on a newer calendar: the saved sample makes the Tuesday after the tests' Monday a day off."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from hotline_service.tickets.domain import ClockTable, Status, Urgency
from hotline_service.tickets.handlers import dispatch, finish, record
from hotline_service.tickets.handlers.recount import recount_deadlines
from hotline_service.tickets.models import Ticket
from service_common import timeline
from service_common.contracts.acceptance import CalendarChanged
from service_common.contracts.hotline import TicketKind
from service_common.crypto import KeyRing
from service_common.messaging import apply
from service_common.work_calendar import calendar_subscriber, current_calendar

SUBSCRIBER = calendar_subscriber("hotline")
SAMPLE = Path(__file__).parents[4] / f"tests/contracts/samples/{CalendarChanged.subject}.json"


async def hear_of_the_notice(session: AsyncSession) -> bool:
    return await apply(session, SUBSCRIBER, SUBSCRIBER.read(SAMPLE.read_bytes()))


class Desk:
    """A ticket of Monday, dispatched to the district's department."""

    def __init__(self, session: AsyncSession, ring: KeyRing, clocks: ClockTable, cast: Any) -> None:
        self.session, self.ring, self.clocks, self.cast, self.now = session, ring, clocks, cast, cast.monday

    async def ticket(self, urgency: Urgency = Urgency.ORDINARY) -> Ticket:
        new = record.NewTicket(
            TicketKind.COMPLAINT, Urgency.ORDINARY, "楼下饭店油烟扰民。", self.cast.district
        )
        ticket = await record.record_ticket(self.session, self.ring, new, caller=self.cast.wang, now=self.now)
        return await self.dispatch(ticket, urgency)

    async def dispatch(self, ticket: Ticket, urgency: Urgency | None = None) -> Ticket:
        return await dispatch.dispatch_ticket(
            self.session,
            ticket.id,
            dispatch.Assignment(self.cast.urban, urgency=urgency),
            clocks=self.clocks,
            expected=ticket.version,
            caller=self.cast.agent,
            now=self.now,
        )

    async def give_back(self, ticket: Ticket) -> Ticket:
        return await dispatch.return_ticket(
            self.session,
            self.ring,
            ticket.id,
            basis="三定规定第六条",
            expected=ticket.version,
            caller=self.cast.urban_clerk,
            now=self.now,
        )

    async def settle(self, ticket: Ticket) -> Ticket:
        return await dispatch.settle_dispute(
            self.session,
            ticket.id,
            dispatch.Assignment(self.cast.urban),
            clocks=self.clocks,
            expected=ticket.version,
            caller=self.cast.supervisor,
            now=self.now,
        )

    async def recounted(self, ticket: Ticket) -> list[dict[str, Any]]:
        entries = await timeline.read(self.session, ticket.id)
        assert timeline.verify(entries)
        return [one.facts for one in entries if one.action == "deadlines_recounted"]


@pytest.fixture
def desk(session: AsyncSession, ring: KeyRing, clocks: ClockTable, cast: Any) -> Desk:
    return Desk(session, ring, clocks, cast)


async def test_a_notice_moves_running_deadlines_and_keeps_the_old_ones_in_the_history(desk: Desk) -> None:
    ticket = await desk.ticket()
    assert (ticket.handle_due_date, ticket.calendar_version) == (date(2026, 11, 30), "cn-2026.1")
    assert await hear_of_the_notice(desk.session)
    assert await recount_deadlines(desk.session, now=desk.now) == 1
    assert (ticket.handle_due_date, ticket.calendar_version) == (date(2026, 12, 1), "cn-2026.2")
    [facts] = await desk.recounted(ticket)
    assert (facts["old"]["calendar"], facts["new"]["calendar"]) == ("cn-2026.1", "cn-2026.2")
    assert facts["old"]["handle_due_at"] < facts["new"]["handle_due_at"]
    assert facts["old"]["return_due_at"] < facts["new"]["return_due_at"]
    assert facts["old"]["sign_due_at"] == facts["new"]["sign_due_at"]  # it ends on Monday


async def test_counting_again_twice_writes_once(desk: Desk) -> None:
    ticket = await desk.ticket()
    await hear_of_the_notice(desk.session)
    assert await recount_deadlines(desk.session, now=desk.now) == 1
    assert await recount_deadlines(desk.session, now=desk.now) == 0
    assert len(await desk.recounted(ticket)) == 1


async def test_the_same_notice_twice_is_kept_once(session: AsyncSession) -> None:
    assert await hear_of_the_notice(session)
    assert not await hear_of_the_notice(session)
    assert (await current_calendar(session)).version == "cn-2026.2"
    assert await session.scalar(text("SELECT count(*) FROM calendar_notices")) == 1


async def test_a_clock_that_runs_day_and_night_does_not_move(desk: Desk) -> None:
    ticket = await desk.ticket(Urgency.CRITICAL)
    due = ticket.handle_due_at
    await hear_of_the_notice(desk.session)
    await recount_deadlines(desk.session, now=desk.now)
    assert (ticket.handle_due_at, ticket.calendar_version) == (due, "cn-2026.2")


async def test_an_answered_ticket_is_left_alone(desk: Desk) -> None:
    ticket = await desk.ticket()
    await dispatch.sign_ticket(
        desk.session, ticket.id, expected=ticket.version, caller=desk.cast.urban_clerk, now=desk.now
    )
    await finish.answer_ticket(
        desk.session,
        desk.ring,
        ticket.id,
        answer="已责令整改",
        expected=ticket.version,
        caller=desk.cast.urban_clerk,
        now=desk.now,
    )
    await hear_of_the_notice(desk.session)
    assert await recount_deadlines(desk.session, now=desk.now) == 0
    assert ticket.calendar_version == "cn-2026.1"


async def test_a_ticket_sent_on_twice_is_counted_from_where_its_handling_clock_began(desk: Desk) -> None:
    ticket = await desk.dispatch(await desk.give_back(await desk.ticket()))  # has its one reset now
    desk.now += timedelta(hours=1)
    ticket = await desk.give_back(ticket)
    desk.now += timedelta(days=2)
    ticket = await desk.settle(ticket)
    assert (ticket.status, ticket.handle_due_date) == (Status.DISPATCHED, date(2026, 11, 30))
    await hear_of_the_notice(desk.session)
    assert await recount_deadlines(desk.session, now=desk.now) == 1
    assert ticket.handle_due_date == date(2026, 12, 1)
    assert ticket.sign_due_date == date(2026, 11, 25)
