"""The state machine of a case, walked at random and checked against what must never happen."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from acceptance_service.cases.domain.states import (
    ENDED,
    TRANSITIONS,
    Action,
    ActionNotPossible,
    CaseStatus,
    next_status,
    possible_actions,
)

DECIDING = {Action.APPROVE, Action.REJECT}
STARTING = {Action.ACCEPT, Action.DEEM_ACCEPTED}


class CaseMachine(RuleBasedStateMachine):
    """Does whatever the state allows, and now and then what it does not."""

    def __init__(self) -> None:
        super().__init__()
        self.status = CaseStatus.WAITING
        self.done: list[Action] = []

    @precondition(lambda self: bool(possible_actions(self.status)))
    @rule(data=st.data())
    def act(self, data: st.DataObject) -> None:
        action = data.draw(st.sampled_from(sorted(possible_actions(self.status))))
        self.status = next_status(self.status, action)
        self.done.append(action)

    @rule(action=st.sampled_from(Action))
    def try_what_is_not_possible(self, action: Action) -> None:
        if action in possible_actions(self.status):
            return
        with pytest.raises(ActionNotPossible):
            next_status(self.status, action)

    @invariant()
    def decided_at_most_once_and_only_after_acceptance(self) -> None:
        decisions = [index for index, action in enumerate(self.done) if action in DECIDING]
        assert len(decisions) <= 1
        if decisions:
            assert any(action in STARTING for action in self.done[: decisions[0]])

    @invariant()
    def accepted_at_most_once(self) -> None:
        assert sum(action in STARTING for action in self.done) <= 1

    @invariant()
    def never_refused_acceptance_after_accepting(self) -> None:
        if Action.NOT_ACCEPT in self.done:
            assert not any(action in STARTING for action in self.done)

    @invariant()
    def finished_only_when_decided(self) -> None:
        if self.status is CaseStatus.FINISHED:
            assert any(action in DECIDING for action in self.done)

    @invariant()
    def not_withdrawn_after_the_decision(self) -> None:
        if Action.WITHDRAW in self.done:
            assert not any(action in DECIDING for action in self.done)

    @invariant()
    def certified_only_when_granted(self) -> None:
        if Action.CERTIFY in self.done:
            assert Action.APPROVE in self.done


TestCaseMachine = CaseMachine.TestCase
TestCaseMachine.settings = settings(max_examples=150, stateful_step_count=30, deadline=None)


def test_an_ended_case_allows_nothing() -> None:
    assert {status for status in CaseStatus if not possible_actions(status)} == ENDED


def test_every_state_is_reached_from_the_beginning() -> None:
    reached = {CaseStatus.WAITING}
    while more := {to for (status, _), to in TRANSITIONS.items() if status in reached} - reached:
        reached |= more
    assert reached == set(CaseStatus)


def test_every_open_state_can_come_to_an_end() -> None:
    ending = set(ENDED)
    while more := {status for (status, _), to in TRANSITIONS.items() if to in ending} - ending:
        ending |= more
    assert ending == set(CaseStatus)


@pytest.mark.parametrize("status", list(CaseStatus))
def test_every_state_has_a_chinese_label(status: CaseStatus) -> None:
    assert status.label.strip()


@pytest.mark.parametrize(
    ("status", "action"),
    [
        (CaseStatus.SUBMITTED, Action.ACCEPT),  # received first
        (CaseStatus.SUBMITTED, Action.APPROVE),
        (CaseStatus.RECEIVED, Action.RETURN),  # the pre-check is over
        (CaseStatus.SUSPENDED, Action.APPROVE),  # the result of the procedure is not in
        (CaseStatus.CORRECTION, Action.DEEM_ACCEPTED),  # the one-off notice was an answer
        (CaseStatus.DECIDED_APPROVED, Action.WITHDRAW),
        (CaseStatus.DECIDED_REJECTED, Action.CERTIFY),
        (CaseStatus.CERTIFYING, Action.FINISH),
    ],
)
def test_these_shortcuts_do_not_exist(status: CaseStatus, action: Action) -> None:
    with pytest.raises(ActionNotPossible):
        next_status(status, action)


def test_a_refusal_names_the_state_in_chinese() -> None:
    with pytest.raises(ActionNotPossible) as refused:
        next_status(CaseStatus.FINISHED, Action.ACCEPT)
    assert "已办结" in refused.value.sentence("zh")
