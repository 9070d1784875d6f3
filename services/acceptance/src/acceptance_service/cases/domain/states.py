"""The states of a case and the ways between them. Pure.

Source: the state table of the platform's standards, §3.1. An edge that the table lacks stands in ``_ADDED`` with its reason.
"""

from collections.abc import Mapping
from enum import StrEnum

from service_common.errors import Conflict


class CaseStatus(StrEnum):
    """Where a case 办件 stands."""

    WAITING = "WAITING"
    SUBMITTED = "SUBMITTED"
    RETURNED = "RETURNED"
    RECEIVED = "RECEIVED"
    CORRECTION = "CORRECTION"
    NOT_ACCEPTED = "NOT_ACCEPTED"
    ACCEPTED = "ACCEPTED"
    REVIEWING = "REVIEWING"
    SUSPENDED = "SUSPENDED"
    DECIDED_APPROVED = "DECIDED_APPROVED"
    DECIDED_REJECTED = "DECIDED_REJECTED"
    CERTIFYING = "CERTIFYING"
    DELIVERING = "DELIVERING"
    FINISHED = "FINISHED"
    WITHDRAWN = "WITHDRAWN"
    TERMINATED = "TERMINATED"

    @property
    def label(self) -> str:
        """The Chinese word that people read."""
        return _LABELS[self]

    @property
    def ended(self) -> bool:
        """Whether nothing can happen to the case any more."""
        return self in ENDED


_LABELS = {
    CaseStatus.WAITING: "等待前置事项",
    CaseStatus.SUBMITTED: "已提交",
    CaseStatus.RETURNED: "退回修改",
    CaseStatus.RECEIVED: "已收件",
    CaseStatus.CORRECTION: "待补正",
    CaseStatus.NOT_ACCEPTED: "不予受理",
    CaseStatus.ACCEPTED: "已受理",
    CaseStatus.REVIEWING: "审查中",
    CaseStatus.SUSPENDED: "特别程序",
    CaseStatus.DECIDED_APPROVED: "准予",
    CaseStatus.DECIDED_REJECTED: "不予许可",
    CaseStatus.CERTIFYING: "制证中",
    CaseStatus.DELIVERING: "送达中",
    CaseStatus.FINISHED: "已办结",
    CaseStatus.WITHDRAWN: "已撤回",
    CaseStatus.TERMINATED: "已终止",
}

ENDED = frozenset({CaseStatus.NOT_ACCEPTED, CaseStatus.FINISHED, CaseStatus.WITHDRAWN, CaseStatus.TERMINATED})
DECIDED = frozenset({CaseStatus.DECIDED_APPROVED, CaseStatus.DECIDED_REJECTED})
# Nobody has answered the applicant yet: the timer of Art. 32 (4) runs. A return in pre-check is no answer.
UNANSWERED = frozenset({CaseStatus.SUBMITTED, CaseStatus.RETURNED, CaseStatus.RECEIVED})
# The applicant may change form and materials.
WITH_APPLICANT = frozenset({CaseStatus.RETURNED, CaseStatus.CORRECTION})


class Action(StrEnum):
    """What can be done to a case; the word stands in its timeline."""

    RELEASE = "RELEASE"
    RECEIVE = "RECEIVE"
    RETURN = "RETURN"
    RESUBMIT = "RESUBMIT"
    REQUEST_CORRECTION = "REQUEST_CORRECTION"
    ACCEPT = "ACCEPT"
    DEEM_ACCEPTED = "DEEM_ACCEPTED"
    NOT_ACCEPT = "NOT_ACCEPT"
    BEGIN_REVIEW = "BEGIN_REVIEW"
    SUSPEND = "SUSPEND"
    RESUME = "RESUME"
    EXTEND = "EXTEND"
    APPROVE = "APPROVE"
    REJECT = "REJECT"
    CERTIFY = "CERTIFY"
    DELIVER = "DELIVER"
    FINISH = "FINISH"
    WITHDRAW = "WITHDRAW"
    TERMINATE = "TERMINATE"


_S, _A = CaseStatus, Action

_TABLE: dict[tuple[CaseStatus, Action], CaseStatus] = {
    (_S.SUBMITTED, _A.RECEIVE): _S.RECEIVED,
    (_S.SUBMITTED, _A.RETURN): _S.RETURNED,
    (_S.RETURNED, _A.RESUBMIT): _S.SUBMITTED,
    (_S.RETURNED, _A.WITHDRAW): _S.WITHDRAWN,
    (_S.RECEIVED, _A.REQUEST_CORRECTION): _S.CORRECTION,
    (_S.RECEIVED, _A.ACCEPT): _S.ACCEPTED,
    (_S.RECEIVED, _A.NOT_ACCEPT): _S.NOT_ACCEPTED,
    (_S.CORRECTION, _A.RESUBMIT): _S.RECEIVED,
    (_S.CORRECTION, _A.NOT_ACCEPT): _S.NOT_ACCEPTED,
    (_S.CORRECTION, _A.WITHDRAW): _S.WITHDRAWN,
    (_S.ACCEPTED, _A.BEGIN_REVIEW): _S.REVIEWING,
    (_S.REVIEWING, _A.SUSPEND): _S.SUSPENDED,
    (_S.REVIEWING, _A.APPROVE): _S.DECIDED_APPROVED,
    (_S.REVIEWING, _A.REJECT): _S.DECIDED_REJECTED,
    (_S.REVIEWING, _A.WITHDRAW): _S.WITHDRAWN,
    (_S.REVIEWING, _A.TERMINATE): _S.TERMINATED,
    (_S.SUSPENDED, _A.RESUME): _S.REVIEWING,
    (_S.DECIDED_APPROVED, _A.CERTIFY): _S.CERTIFYING,
    (_S.DECIDED_APPROVED, _A.DELIVER): _S.DELIVERING,
    (_S.DECIDED_REJECTED, _A.DELIVER): _S.DELIVERING,
    (_S.CERTIFYING, _A.DELIVER): _S.DELIVERING,
    (_S.DELIVERING, _A.FINISH): _S.FINISHED,
}

_ADDED: dict[tuple[CaseStatus, Action], CaseStatus] = {
    # A bundle's items may wait for one another: the case exists with its number, and its clocks do not run.
    (_S.WAITING, _A.RELEASE): _S.SUBMITTED,
    # What the waiting item rests on was refused: its object is gone.
    (_S.WAITING, _A.TERMINATE): _S.TERMINATED,
    # An applicant may take back what is not decided, at any moment.
    (_S.WAITING, _A.WITHDRAW): _S.WITHDRAWN,
    (_S.SUBMITTED, _A.WITHDRAW): _S.WITHDRAWN,
    (_S.RECEIVED, _A.WITHDRAW): _S.WITHDRAWN,
    (_S.ACCEPTED, _A.WITHDRAW): _S.WITHDRAWN,
    (_S.SUSPENDED, _A.WITHDRAW): _S.WITHDRAWN,
    # The object may be gone at any moment after acceptance, not only during the review.
    (_S.ACCEPTED, _A.TERMINATE): _S.TERMINATED,
    (_S.SUSPENDED, _A.TERMINATE): _S.TERMINATED,
    # Silence of five working days (行政许可法 Art. 32 (4)). A return in pre-check does not stop that timer.
    (_S.SUBMITTED, _A.DEEM_ACCEPTED): _S.ACCEPTED,
    (_S.RETURNED, _A.DEEM_ACCEPTED): _S.ACCEPTED,
    (_S.RECEIVED, _A.DEEM_ACCEPTED): _S.ACCEPTED,
    # "Not its remit: decide at once" needs no receipt before (Art. 32 (1) and (2)).
    (_S.SUBMITTED, _A.NOT_ACCEPT): _S.NOT_ACCEPTED,
    # Complete and decidable on the spot: decided on the spot (Art. 34), by a person or by rule 秒批.
    (_S.ACCEPTED, _A.APPROVE): _S.DECIDED_APPROVED,
    (_S.ACCEPTED, _A.REJECT): _S.DECIDED_REJECTED,
    # A special procedure may be known to be needed at acceptance (Art. 45).
    (_S.ACCEPTED, _A.SUSPEND): _S.SUSPENDED,
    # A longer period changes no state (Art. 42).
    (_S.ACCEPTED, _A.EXTEND): _S.ACCEPTED,
    (_S.REVIEWING, _A.EXTEND): _S.REVIEWING,
    # A decision without a licence is delivered electronically in the moment it is made.
    (_S.DECIDED_APPROVED, _A.FINISH): _S.FINISHED,
    (_S.DECIDED_REJECTED, _A.FINISH): _S.FINISHED,
}

TRANSITIONS: Mapping[tuple[CaseStatus, Action], CaseStatus] = {**_TABLE, **_ADDED}


class ActionNotPossible(Conflict):
    """The state of the case does not allow the action."""

    code = "action_not_possible"
    zh = "办件当前状态为“{status_label}”，不能进行此操作（{action}）。"
    en = "The case is {status}: {action} is not possible now."


def next_status(status: CaseStatus, action: Action) -> CaseStatus:
    """The status after an action. Raises: ActionNotPossible."""
    try:
        return TRANSITIONS[status, action]
    except KeyError:
        raise ActionNotPossible(status=status, status_label=status.label, action=action) from None


def possible_actions(status: CaseStatus) -> frozenset[Action]:
    """What may be done next, before any guard is asked."""
    return frozenset(action for (before, action) in TRANSITIONS if before is status)
