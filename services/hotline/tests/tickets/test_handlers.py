"""Use cases on the real database: rows, outbox and history."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from gov_rules.identifiers import parse_ticket_number
from hotline_service.tickets.domain import (
    AlreadyRedone,
    AssignmentIsBinding,
    CalledJustNow,
    CallerIsHidden,
    CallerNotYours,
    ClockTable,
    HandlerCannotCallBack,
    NoSuchTicket,
    NotNow,
    OutsideArea,
    ReturnTooLate,
    Status,
    UnknownDepartment,
    Urgency,
)
from hotline_service.tickets.handlers import dispatch, finish, read, record
from hotline_service.tickets.handlers.finish import CallResult
from hotline_service.tickets.handlers.read import Purpose
from hotline_service.tickets.models import Ticket
from service_common import timeline
from service_common.auth import Caller
from service_common.contracts.hotline import TicketKind
from service_common.crypto import KeyRing
from service_common.db import Database, new_id
from service_common.errors import Stale
from service_common.tables import outbox

PHONE, NAME = "19900000001", "欧阳小麦"
CONTENT = f"我是{NAME}，电话{PHONE}，楼下饭店油烟扰民。"


class Desk:
    """Does one step after the other on a ticket, as its parties would."""

    def __init__(self, session: AsyncSession, ring: KeyRing, clocks: ClockTable, cast: Any) -> None:
        self.session, self.ring, self.clocks, self.cast = session, ring, clocks, cast
        self.now: datetime = cast.monday
        self.ticket: Ticket

    async def record(self, caller: Caller | None = None, **changes: Any) -> Ticket:
        new = record.NewTicket(TicketKind.COMPLAINT, Urgency.ORDINARY, CONTENT, self.cast.district)
        self.ticket = await record.record_ticket(
            self.session, self.ring, replace(new, **changes), caller=caller or self.cast.wang, now=self.now
        )
        return self.ticket

    async def dispatch(self, department_id: UUID | None = None, **changes: Any) -> Ticket:
        return await dispatch.dispatch_ticket(
            self.session,
            self.ticket.id,
            dispatch.Assignment(department_id or self.cast.urban, **changes),
            clocks=self.clocks,
            expected=self.ticket.version,
            caller=self.cast.agent,
            now=self.now,
        )

    async def settle(self, department_id: UUID) -> Ticket:
        return await dispatch.settle_dispute(
            self.session,
            self.ticket.id,
            dispatch.Assignment(department_id),
            clocks=self.clocks,
            expected=self.ticket.version,
            caller=self.cast.supervisor,
            now=self.now,
        )

    async def sign(self, caller: Caller | None = None) -> Ticket:
        return await dispatch.sign_ticket(
            self.session,
            self.ticket.id,
            expected=self.ticket.version,
            caller=caller or self.cast.urban_clerk,
            now=self.now,
        )

    async def give_back(self, caller: Caller | None = None) -> Ticket:
        return await dispatch.return_ticket(
            self.session,
            self.ring,
            self.ticket.id,
            basis="三定规定第六条",
            expected=self.ticket.version,
            caller=caller or self.cast.urban_clerk,
            now=self.now,
        )

    async def answer(self, caller: Caller | None = None) -> Ticket:
        return await finish.answer_ticket(
            self.session,
            self.ring,
            self.ticket.id,
            answer="已责令整改",
            expected=self.ticket.version,
            caller=caller or self.cast.urban_clerk,
            now=self.now,
        )

    async def close(self) -> Ticket:
        return await finish.close_ticket(
            self.session,
            self.ticket.id,
            expected=self.ticket.version,
            caller=self.cast.agent,
            now=self.now,
        )

    async def call_back(self, result: CallResult, caller: Caller | None = None) -> Ticket:
        return await finish.call_back(
            self.session,
            self.ticket.id,
            result,
            expected=self.ticket.version,
            caller=caller or self.cast.agent,
            now=self.now,
        )

    async def handle_to_the_end(self, result: CallResult) -> None:
        await self.dispatch()
        await self.sign()
        await self.answer()
        await self.close()
        await self.call_back(result)

    async def events(self) -> list[tuple[str, int, dict[str, Any]]]:
        rows = await self.session.execute(
            select(outbox).where(outbox.c.aggregate_id == self.ticket.id).order_by(outbox.c.revision)
        )
        return [(row.subject.split(".")[3], row.revision, row.event["data"]) for row in rows]

    async def actions(self) -> Sequence[str]:
        entries = await timeline.read(self.session, self.ticket.id)
        assert timeline.verify(entries)
        return [one.action for one in entries]


@pytest.fixture
def desk(session: AsyncSession, ring: KeyRing, clocks: ClockTable, cast: Any) -> Desk:
    return Desk(session, ring, clocks, cast)


async def test_a_ticket_runs_from_the_call_to_the_call_back(desk: Desk) -> None:
    case_id = new_id()
    await desk.record(case_id=case_id, project_no="P1")
    await desk.handle_to_the_end(CallResult(reached=True, solved=True, satisfied=True))
    assert desk.ticket.status is Status.CALLED_BACK
    events = await desk.events()
    assert [(name, revision) for name, revision, _ in events] == [
        ("created", 1),
        ("dispatched", 2),
        ("answered", 3),
        ("closed", 4),
        ("called-back", 5),
    ]
    last = events[-1][2]
    assert last["person_id"] == desk.cast.wang.subject_id
    assert (last["case_id"], last["department_id"]) == (str(case_id), str(desk.cast.urban))
    assert (last["reached"], last["solved"], last["satisfied"]) == (True, True, True)
    assert await desk.actions() == ["recorded", "dispatched", "signed", "answered", "closed", "called_back"]


async def test_what_is_personal_is_sealed_in_the_row_and_absent_from_events_and_history(desk: Desk) -> None:
    await desk.record(desk.cast.agent, caller_name=NAME, caller_phone=PHONE)
    await desk.handle_to_the_end(CallResult(reached=True, solved=True, satisfied=True))
    for table in ("tickets", "outbox", "timeline_entries"):
        rows = await desk.session.execute(text(f"SELECT to_jsonb({table})::text FROM {table}"))
        for stored in rows.scalars():
            assert PHONE not in stored
            assert NAME not in stored
            assert "油烟" not in stored
            assert PHONE.encode().hex() not in stored


async def test_a_number_is_of_its_division_and_local_day(desk: Desk) -> None:
    desk.now = desk.cast.sunday + timedelta(hours=9)  # 01:00 on Monday in Shanghai
    number = parse_ticket_number((await desk.record()).number)
    assert (number.division, number.day.isoformat()) == ("430304", "2026-11-23")


async def test_tickets_recorded_at_once_get_different_numbers(
    database: Database, ring: KeyRing, cast: Any
) -> None:
    new = record.NewTicket(TicketKind.HELP, Urgency.ORDINARY, "停水", "430381000000")

    async def one() -> str:
        async with database.sessions() as session, session.begin():
            ticket = await record.record_ticket(session, ring, new, caller=cast.wang, now=cast.monday)
        return ticket.number

    numbers = await asyncio.gather(*(one() for _ in range(24)))
    assert sorted(parse_ticket_number(number).serial for number in numbers) == list(range(1, 25))


async def test_a_persons_own_urgency_is_ordinary_and_the_agent_decides(desk: Desk) -> None:
    assert (await desk.record(urgency=Urgency.CRITICAL)).urgency is Urgency.ORDINARY
    assert (await desk.dispatch(urgency=Urgency.URGENT)).urgency is Urgency.URGENT
    assert desk.ticket.handle_due_at == desk.now + timedelta(hours=24)


async def test_a_person_names_no_other_caller(desk: Desk) -> None:
    with pytest.raises(CallerNotYours):
        await desk.record(caller_name="别人")


async def test_an_agent_records_for_the_own_area_only(desk: Desk) -> None:
    with pytest.raises(OutsideArea):
        await desk.record(desk.cast.far_agent)


@pytest.mark.parametrize("which", ["elsewhere", "unknown"])
async def test_a_ticket_goes_only_to_a_department_of_the_area(desk: Desk, which: str) -> None:
    await desk.record()
    with pytest.raises(UnknownDepartment):
        await desk.dispatch(desk.cast.elsewhere if which == "elsewhere" else new_id())


async def test_a_decision_on_an_older_version_is_stale(desk: Desk) -> None:
    ticket = await desk.record()
    await desk.dispatch()
    with pytest.raises(Stale):
        await dispatch.sign_ticket(
            desk.session, ticket.id, expected=1, caller=desk.cast.urban_clerk, now=desk.now
        )


async def test_a_first_return_goes_to_the_centre_which_sends_it_on(desk: Desk) -> None:
    await desk.record()
    await desk.dispatch()
    await desk.give_back()
    assert desk.ticket.status is Status.RETURNED
    assert (await desk.events())[-1][0] == "returned"
    first_due = desk.ticket.handle_due_at
    desk.now += timedelta(days=1)
    await desk.dispatch(desk.cast.housing)
    assert desk.ticket.handle_due_at is not None
    assert first_due is not None
    assert desk.ticket.handle_due_at > first_due
    with pytest.raises(NoSuchTicket):
        await desk.sign(desk.cast.urban_clerk)  # it is no longer theirs


async def test_a_second_return_is_a_dispute_that_is_settled_for_good(desk: Desk) -> None:
    await desk.record()
    await desk.dispatch()
    await desk.give_back()
    await desk.dispatch(desk.cast.housing)
    reset_once = desk.ticket.handle_due_at
    await desk.give_back(desk.cast.housing_clerk)
    assert desk.ticket.status is Status.DISPUTED
    with pytest.raises(NotNow):
        await desk.dispatch()  # an agent cannot dispatch past a dispute
    desk.now += timedelta(days=1)
    await desk.settle(desk.cast.urban)
    assert (desk.ticket.status, desk.ticket.binding) == (Status.DISPATCHED, True)
    assert desk.ticket.handle_due_at == reset_once  # the clock is not reset a second time
    with pytest.raises(AssignmentIsBinding):
        await desk.give_back()
    assert (await desk.actions())[-2:] == ["disputed", "dispute_settled"]


async def test_a_return_after_two_working_days_is_refused(desk: Desk) -> None:
    await desk.record()
    await desk.dispatch()
    desk.now += timedelta(days=3)
    with pytest.raises(ReturnTooLate):
        await desk.give_back()


async def test_a_dissatisfied_caller_gets_one_redo_that_is_a_contact_of_its_own(desk: Desk) -> None:
    await desk.record()
    await desk.handle_to_the_end(CallResult(reached=True, solved=False, satisfied=False))
    await desk.handle_to_the_end(CallResult(reached=True, solved=False, satisfied=False))
    closed = [data["contact_no"] for name, _, data in await desk.events() if name == "closed"]
    assert closed == [1, 2]
    with pytest.raises(AlreadyRedone):
        await desk.dispatch()


async def test_three_calls_in_vain_end_as_not_reached(desk: Desk) -> None:
    await desk.record()
    await desk.dispatch()
    await desk.sign()
    await desk.answer()
    await desk.close()
    for _ in range(3):
        assert desk.ticket.status is Status.CLOSED
        await desk.call_back(CallResult(reached=False))
        desk.now += timedelta(hours=1)
    assert desk.ticket.status is Status.CALLED_BACK
    called = [data for name, _, data in await desk.events() if name == "called-back"]
    assert [(data["reached"], data["solved"]) for data in called] == [(False, None)]


async def test_calls_in_vain_count_at_different_times_only(desk: Desk) -> None:
    await desk.record()
    await desk.dispatch()
    await desk.sign()
    await desk.answer()
    await desk.close()
    await desk.call_back(CallResult(reached=False))
    desk.now += timedelta(minutes=59)
    with pytest.raises(CalledJustNow):
        await desk.call_back(CallResult(reached=False))
    assert desk.ticket.call_attempts == 1
    await desk.call_back(CallResult(reached=True, solved=True, satisfied=True))
    assert desk.ticket.status is Status.CALLED_BACK


async def test_an_agent_who_answered_on_the_line_does_not_call_back(desk: Desk) -> None:
    await desk.record()
    await finish.answer_directly(
        desk.session,
        desk.ring,
        desk.ticket.id,
        answer="窗口周六上午开放",
        expected=desk.ticket.version,
        caller=desk.cast.agent,
        now=desk.now,
    )
    await desk.close()
    closed = (await desk.events())[-1]
    assert (closed[0], closed[2]["department_id"]) == ("closed", str(desk.cast.centre))
    with pytest.raises(HandlerCannotCallBack):
        await desk.call_back(CallResult(reached=True, solved=True, satisfied=True))
    await desk.call_back(CallResult(reached=True, solved=True, satisfied=True), desk.cast.other_agent)


async def test_a_repeat_call_hangs_on_the_original_and_disturbs_no_decision(desk: Desk) -> None:
    await desk.record()
    await desk.dispatch()
    before = desk.ticket.version
    for caller in (desk.cast.wang, desk.cast.agent):
        await record.urge_ticket(
            desk.session, desk.ring, desk.ticket.id, note="还没人来", caller=caller, now=desk.now
        )
    shown = await read.read_ticket(
        desk.session, desk.ring, desk.ticket.id, caller=desk.cast.urban_clerk, now=desk.now
    )
    assert (shown.urges, shown.row.version) == (2, before)
    for stranger in (desk.cast.li, desk.cast.urban_clerk):
        with pytest.raises(NoSuchTicket):
            await record.urge_ticket(
                desk.session, desk.ring, desk.ticket.id, note=None, caller=stranger, now=desk.now
            )


async def test_a_callers_running_tickets_are_found_by_phone(desk: Desk) -> None:
    await desk.record(desk.cast.agent, caller_phone=PHONE)
    open_ticket = desk.ticket.id
    await desk.record(desk.cast.agent, caller_phone="19900000002")

    async def found(caller: Caller) -> list[UUID]:
        rows = await read.find_open_tickets(
            desk.session, desk.ring, phone="+86 199-0000-0001", limit=20, caller=caller, now=desk.now
        )
        return [one.row.id for one in rows]

    assert await found(desk.cast.other_agent) == [open_ticket]
    assert await found(desk.cast.far_agent) == []
    assert await found(desk.cast.urban_clerk) == []


async def test_a_report_hides_its_caller_from_the_handling_unit(desk: Desk) -> None:
    await desk.record(
        desk.cast.agent,
        kind=TicketKind.REPORT,
        caller_name=NAME,
        caller_phone=PHONE,
        case_id=new_id(),
    )
    await desk.dispatch()
    to_clerk = await read.read_ticket(
        desk.session, desk.ring, desk.ticket.id, caller=desk.cast.urban_clerk, now=desk.now
    )
    assert to_clerk.caller is None
    assert to_clerk.hides_caller
    assert to_clerk.content is not None
    assert NAME not in to_clerk.content
    assert PHONE not in to_clerk.content
    with pytest.raises(CallerIsHidden):
        await read.disclose_caller(
            desk.session,
            desk.ring,
            desk.ticket.id,
            purpose=Purpose.HANDLING,
            caller=desk.cast.urban_clerk,
            now=desk.now,
        )
    to_agent = await read.read_ticket(
        desk.session, desk.ring, desk.ticket.id, caller=desk.cast.agent, now=desk.now
    )
    assert to_agent.caller == read.MaskedCaller("欧***", "199****0001")


async def test_judging_a_report_to_be_a_complaint_gives_nobody_away(desk: Desk) -> None:
    await desk.record(desk.cast.agent, kind=TicketKind.REPORT, caller_name=NAME, caller_phone=PHONE)
    await desk.dispatch(kind=TicketKind.COMPLAINT)
    shown = await read.read_ticket(
        desk.session, desk.ring, desk.ticket.id, caller=desk.cast.urban_clerk, now=desk.now
    )
    assert (shown.row.kind, shown.caller) == (TicketKind.COMPLAINT, None)


async def test_a_look_at_the_caller_is_in_the_history(desk: Desk) -> None:
    await desk.record(desk.cast.agent, caller_name=NAME, caller_phone=PHONE)
    seen = await read.disclose_caller(
        desk.session,
        desk.ring,
        desk.ticket.id,
        purpose=Purpose.CALL_BACK,
        caller=desk.cast.other_agent,
        now=desk.now,
    )
    assert seen == (NAME, PHONE)
    entries = await timeline.read(desk.session, desk.ticket.id)
    assert (entries[-1].action, entries[-1].actor_id) == (
        "caller_disclosed",
        desk.cast.other_agent.subject_id,
    )


async def test_only_the_centre_learns_from_the_history_who_it_was(desk: Desk) -> None:
    await desk.record()
    await desk.dispatch()
    shows = {
        name: (
            await read.read_timeline(desk.session, desk.ticket.id, caller=getattr(desk.cast, name))
        ).shows_actors
        for name in ("wang", "agent", "urban_clerk", "urban_partner")
    }
    assert shows == {"wang": False, "agent": True, "urban_clerk": False, "urban_partner": False}


async def test_the_timeline_cannot_be_changed_afterwards(desk: Desk) -> None:
    await desk.record()
    with pytest.raises(Exception, match="append-only"):
        await desk.session.execute(text("UPDATE timeline_entries SET action = 'x'"))
