"""The rules of a ticket, without any machinery."""

from datetime import UTC, date, datetime
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gov_rules.calendars import published_calendar
from hotline_service.tickets.domain import (
    CALL_ATTEMPTS,
    Action,
    AlreadyRedone,
    AssignmentIsBinding,
    ClockTable,
    HandlerCannotCallBack,
    NotNow,
    ReturnTooLate,
    Standing,
    Status,
    Urgency,
    View,
    Viewer,
    blacken_caller,
    check_call_back,
    check_return_in_time,
    hides_caller,
    is_redo,
    may_reset_clock,
    next_status,
    phone_digits,
    protects_caller,
    status_after_call,
    view_of,
)
from service_common.contracts.hotline import TicketKind

CITY, DISTRICT, OTHER_CITY = "430300000000", "430304000000", "430200000000"
CENTRE_SIDE = {Action.DISPATCH, Action.SETTLE, Action.ANSWER_DIRECTLY, Action.CLOSE, Action.CALL_BACK}


class Walk:
    """A ticket on which actions are tried in any order, counted the way the handlers count."""

    def __init__(self) -> None:
        self.standing = Standing(Status.RECORDED)
        self.dispatches = 0
        self.settled = False

    def try_(self, action: Action, *, unsatisfied: bool) -> bool:
        try:
            following = next_status(self.standing, action)
        except (NotNow, AssignmentIsBinding, AlreadyRedone):
            return False
        before = self.standing
        self.settled |= action is Action.SETTLE
        self.dispatches += action is Action.DISPATCH
        self.standing = Standing(
            status=following,
            returns=before.returns + (action is Action.RETURN),
            binding=before.binding or action is Action.SETTLE,
            redos=before.redos + is_redo(before, action),
            unsatisfied=unsatisfied if action is Action.CALL_BACK else before.unsatisfied,
        )
        return True


@given(st.lists(st.tuples(st.sampled_from(list(Action)), st.booleans()), max_size=60))
def test_no_order_of_actions_returns_twice_without_a_dispute_or_redoes_twice(
    steps: list[tuple[Action, bool]],
) -> None:
    walk = Walk()
    for action, unsatisfied in steps:
        before = walk.standing
        went = walk.try_(action, unsatisfied=unsatisfied)
        if went and action is Action.RETURN:
            expected = Status.DISPUTED if before.returns else Status.RETURNED
            assert walk.standing.status is expected
        if went and before.status in {Status.CLOSED, Status.CALLED_BACK}:
            assert action in {Action.CALL_BACK, Action.DISPATCH}
        assert walk.standing.returns <= 2
        assert walk.standing.redos <= 1
        assert walk.standing.returns < 2 or walk.settled or walk.standing.status is Status.DISPUTED


@given(st.sampled_from(list(Status)), st.sampled_from(list(Action)))
def test_every_action_in_every_status_has_a_defined_answer(status: Status, action: Action) -> None:
    refusal: NotNow | None = None
    try:
        assert next_status(Standing(status, unsatisfied=True), action) in Status
    except NotNow as refused:
        refusal = refused
    assert refusal is None or "工单当前为" in refusal.sentence("zh")


def test_every_status_but_the_last_leads_somewhere() -> None:
    def leads_on(status: Status) -> bool:
        for action in set(Action) - {Action.URGE}:
            try:
                next_status(Standing(status), action)
            except (NotNow, AlreadyRedone):
                continue
            return True
        return False

    assert {status for status in Status if not leads_on(status)} == {Status.CALLED_BACK}


def test_a_settled_dispute_binds() -> None:
    with pytest.raises(AssignmentIsBinding):
        next_status(Standing(Status.SIGNED, returns=2, binding=True), Action.RETURN)


def test_a_satisfied_caller_gets_no_redo() -> None:
    with pytest.raises(AlreadyRedone):
        next_status(Standing(Status.CALLED_BACK), Action.DISPATCH)


def test_an_ended_ticket_cannot_be_urged() -> None:
    with pytest.raises(NotNow):
        next_status(Standing(Status.CLOSED), Action.URGE)


def test_a_caller_not_reached_is_tried_three_times() -> None:
    statuses = [status_after_call(reached=False, attempts=n) for n in range(1, CALL_ATTEMPTS + 1)]
    assert statuses == [Status.CLOSED, Status.CLOSED, Status.CALLED_BACK]
    assert status_after_call(reached=True, attempts=1) is Status.CALLED_BACK


def test_the_handling_clock_is_reset_once() -> None:
    assert may_reset_clock(0)
    assert not may_reset_clock(1)


@pytest.mark.parametrize(
    ("urgency", "kind", "due"),
    [
        # Monday 23 November 2026, 10:00 in Shanghai; the day itself is not counted.
        (Urgency.ORDINARY, TicketKind.CONSULT, date(2026, 11, 24)),
        (Urgency.ORDINARY, TicketKind.HELP, date(2026, 11, 26)),
        (Urgency.ORDINARY, TicketKind.COMPLAINT, date(2026, 11, 30)),
        (Urgency.ORDINARY, TicketKind.SUGGESTION, date(2026, 12, 7)),
        (Urgency.COMPLEX, TicketKind.HELP, date(2026, 12, 14)),
        (Urgency.URGENT, TicketKind.COMPLAINT, date(2026, 11, 24)),
        (Urgency.CRITICAL, TicketKind.HELP, date(2026, 11, 23)),
    ],
)
def test_limits_follow_urgency_and_kind(
    clocks: ClockTable, urgency: Urgency, kind: TicketKind, due: date
) -> None:
    monday = datetime(2026, 11, 23, 2, tzinfo=UTC)
    assert clocks.of(urgency, kind).handle.deadline(monday, published_calendar()).due_date == due


def test_an_urgent_clock_runs_on_sunday_and_an_ordinary_one_waits_for_the_office(clocks: ClockTable) -> None:
    sunday = datetime(2026, 11, 22, 8, tzinfo=UTC)
    calendar = published_calendar()
    urgent = clocks.of(Urgency.URGENT, TicketKind.HELP).sign.deadline(sunday, calendar)
    ordinary = clocks.of(Urgency.ORDINARY, TicketKind.HELP).sign.deadline(sunday, calendar)
    assert urgent.due_at == datetime(2026, 11, 22, 8, 30, tzinfo=UTC)
    # Four open hours from Monday nine o'clock, with an hour of noon rest: 14:00 in Shanghai.
    assert ordinary.due_at == datetime(2026, 11, 23, 6, tzinfo=UTC)


def test_a_deadline_in_a_year_without_a_notice_says_so(clocks: ClockTable) -> None:
    late = datetime(2026, 12, 21, 2, tzinfo=UTC)
    deadline = clocks.of(Urgency.COMPLEX, TicketKind.HELP).handle.deadline(late, published_calendar())
    assert (deadline.due_date.year, deadline.provisional) == (2027, True)


def test_a_return_after_its_limit_is_refused() -> None:
    limit = datetime(2026, 11, 24, tzinfo=UTC)
    check_return_in_time(limit, datetime(2026, 11, 23, 23, 59, tzinfo=UTC))
    with pytest.raises(ReturnTooLate):
        check_return_in_time(limit, limit)


PERSON, DEPARTMENT = uuid4(), uuid4()


@pytest.mark.parametrize(
    ("viewer", "status", "view"),
    [
        (Viewer(person_id=PERSON), Status.RECORDED, View.OWN),
        (Viewer(person_id=uuid4()), Status.RECORDED, None),
        (Viewer(division=CITY, roles=frozenset({"hotline_agent"})), Status.RECORDED, View.CENTRE),
        (Viewer(division=OTHER_CITY, roles=frozenset({"hotline_agent"})), Status.RECORDED, None),
        (
            Viewer(department_id=DEPARTMENT, division=CITY, roles=frozenset({"clerk"})),
            Status.SIGNED,
            View.DEPARTMENT,
        ),
        (Viewer(department_id=DEPARTMENT, division=CITY, roles=frozenset({"clerk"})), Status.RECORDED, None),
        (Viewer(department_id=uuid4(), division=CITY, roles=frozenset({"clerk"})), Status.SIGNED, None),
        (Viewer(department_id=DEPARTMENT), Status.SIGNED, View.DEPARTMENT),
        (Viewer(), Status.SIGNED, None),
    ],
)
def test_who_sees_a_ticket(viewer: Viewer, status: Status, view: View | None) -> None:
    seen = view_of(viewer, person_id=PERSON, department_id=DEPARTMENT, division=DISTRICT, status=status)
    assert seen is view


def test_nobody_sees_an_anonymous_callers_ticket_as_the_own() -> None:
    seen = view_of(
        Viewer(person_id=PERSON), person_id=None, department_id=None, division=CITY, status=Status.RECORDED
    )
    assert seen is None


def test_only_a_report_hides_its_caller_and_only_from_the_handling_unit() -> None:
    hidden = {
        (kind, view)
        for kind in TicketKind
        for view in View
        if hides_caller(view, protected=protects_caller(kind))
    }
    assert hidden == {(TicketKind.REPORT, View.DEPARTMENT)}


def test_whoever_handled_it_does_not_call_back() -> None:
    def check(caller: str, caller_department: UUID, *, direct: bool = False) -> None:
        check_call_back(
            caller_id=caller,
            caller_department=caller_department,
            handler_id="handler",
            handling_department=DEPARTMENT,
            direct=direct,
        )

    check("agent", uuid4())
    check("agent", DEPARTMENT, direct=True)
    for caller, office, direct in [
        ("agent", DEPARTMENT, False),
        ("handler", uuid4(), False),
        ("handler", DEPARTMENT, True),
    ]:
        with pytest.raises(HandlerCannotCallBack):
            check(caller, office, direct=direct)


@pytest.mark.parametrize(
    "number", ["19900001234", "199 0000 1234", "199-0000-1234", "990301189901010014", "0731-88888888"]
)
def test_a_reports_text_loses_its_caller(number: str) -> None:
    text = f"我叫王小麦，电话{number}，举报某饭店使用地沟油，地址在5栋301。"
    shown = blacken_caller(text, name="王小麦", phone=number)
    assert "王小麦" not in shown
    assert number not in shown
    assert "5栋301" in shown


def test_a_phone_is_found_however_it_is_written() -> None:
    assert {phone_digits(one) for one in ("19900001234", "+86 199 0000 1234", "0086-19900001234")} == {
        "19900001234"
    }
