"""HTTP shapes of tickets."""

from datetime import date, datetime
from typing import Annotated, Any, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from gov_rules.divisions import to_area_code
from hotline_service.suggestions.handlers import Suggestion
from hotline_service.tickets.domain import (
    KIND_LABELS,
    STATUS_LABELS,
    URGENCY_LABELS,
    Channel,
    Status,
    Urgency,
    View,
)
from hotline_service.tickets.handlers.finish import CallResult
from hotline_service.tickets.handlers.read import History, Purpose, Shown
from service_common.contracts.hotline import TicketKind

_DEPARTMENT = "01930000-0000-7000-8000-0000000000bc"

AreaCode = Annotated[
    str, AfterValidator(to_area_code), Field(description="Division code of 6, 9 or 12 digits.")
]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=4000)]
Phone = Annotated[
    str,
    StringConstraints(strip_whitespace=True, pattern=r"^\+?[0-9](?:[0-9 -]{3,18})[0-9]$"),
    Field(description="Where the caller can be reached. Stored encrypted, shown masked."),
]


class Body(BaseModel):
    """A request: what it does not know is an error."""

    model_config = ConfigDict(extra="forbid")


class TicketCreate(Body):
    """An appeal: a person's own, or a caller's as an agent records it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "kind": "COMPLAINT",
                    "content": "小区楼下饭店油烟直排，晚上十一点还在营业，噪音扰民。",
                    "division": "430304",
                    "caller_phone": "19900000001",
                }
            ]
        },
    )

    kind: TicketKind
    urgency: Urgency = Field(
        default=Urgency.ORDINARY, description="Judged by the agent; a person's own is ordinary."
    )
    content: Text
    division: AreaCode
    case_id: UUID | None = Field(default=None, description="The case that it is about, if any.")
    project_no: Annotated[str, StringConstraints(max_length=60)] | None = None
    caller_name: Annotated[str, StringConstraints(strip_whitespace=True, max_length=60)] | None = Field(
        default=None, description="Agents only."
    )
    caller_phone: Phone | None = None


class PhoneSearch(Body):
    """Looks for a caller's running tickets; in the body, so that no number stands in a URL."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"caller_phone": "19900000001"}]}
    )

    caller_phone: Phone


class AssignmentBody(Body):
    """Where it goes."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"department_id": _DEPARTMENT, "kind": "COMPLAINT", "urgency": "ORDINARY"}]
        },
    )

    department_id: UUID
    kind: TicketKind | None = Field(
        default=None, description="When the agent judges it to be of another kind."
    )
    urgency: Urgency | None = None


class ReturnBody(Body):
    """Why it is not this department's duty."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"basis": "根据“三定”规定第六条，该事项由城市管理部门负责。"}]},
    )

    basis: Text = Field(description="The rule on which the department relies.")


class AnswerBody(Body):
    """What the caller is told."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"answer": "已责令该店安装油烟净化设施，并于22时后停止营业。"}]},
    )

    answer: Text


class CallBackBody(Body):
    """What the caller said."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reached": True, "solved": True, "satisfied": True}]}
    )

    reached: bool
    solved: bool | None = None
    satisfied: bool | None = None

    @model_validator(mode="after")
    def _say_both_when_reached(self) -> Self:
        said = self.solved is not None and self.satisfied is not None
        silent = self.solved is None and self.satisfied is None
        if not (said if self.reached else silent):
            raise ValueError("solved and satisfied are given when the caller was reached, and only then")
        return self

    def result(self) -> CallResult:
        """For the handler."""
        return CallResult(self.reached, self.solved, self.satisfied)


class UrgeBody(Body):
    """What the caller adds."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"note": "已过三天，仍未有人联系。"}]}
    )

    note: Text | None = None


class DisclosureBody(Body):
    """Why the caller has to be known in full."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"purpose": "CALL_BACK"}]})

    purpose: Purpose


class CallerRead(BaseModel):
    """A caller, masked."""

    name: str | None
    phone: str | None


class DisclosedCaller(BaseModel):
    """A caller in full. The look at it is on record."""

    name: str | None
    phone: str | None


class DeadlineRead(BaseModel):
    """A due instant with the local date, and the calendar it was counted on."""

    due_at: datetime
    due_date: date
    calendar_version: str | None
    provisional: bool


class TicketSummary(BaseModel):
    """A ticket in a list."""

    id: UUID
    number: str
    kind: TicketKind
    kind_label: str
    urgency: Urgency
    urgency_label: str
    status: Status
    status_label: str
    channel: Channel
    division: str
    department_id: UUID | None
    department_name: str | None
    sign_deadline: DeadlineRead | None
    handle_deadline: DeadlineRead | None
    overdue: bool
    urges: int = Field(description="Repeat calls so far.")
    contact_no: int
    created_at: datetime

    @classmethod
    def of(cls, shown: Shown) -> Self:
        """As the viewer may see it."""
        return cls.model_validate(_summary(shown))


class TicketRead(TicketSummary):
    """A ticket with its texts, as far as the viewer may read them."""

    content: str
    answer: str | None
    return_basis: str | None = Field(description="Not for the citizen.")
    caller: CallerRead | None = Field(description="Absent from a report for the unit that handles it.")
    case_id: UUID | None
    project_no: str | None
    returns: int
    binding: bool
    answered_at: datetime | None
    closed_at: datetime | None
    called_back_at: datetime | None
    reached: bool | None
    solved: bool | None
    satisfied: bool | None
    version: int

    @classmethod
    def of(cls, shown: Shown) -> Self:
        """As the viewer may see it."""
        row = shown.row
        own = shown.view is View.OWN
        return cls.model_validate(
            _summary(shown)
            | {
                "content": shown.content,
                "answer": shown.answer,
                "return_basis": shown.return_basis,
                "caller": shown.caller and {"name": shown.caller.name, "phone": shown.caller.phone},
                "case_id": None if shown.hides_caller else row.case_id,
                "project_no": None if shown.hides_caller else row.project_no,
                "returns": 0 if own else row.returns,
                "binding": row.binding,
                "answered_at": row.answered_at,
                "closed_at": row.closed_at,
                "called_back_at": row.called_back_at,
                "reached": row.reached,
                "solved": row.solved,
                "satisfied": row.satisfied,
                "version": row.version,
            }
        )


class ScoredRead(BaseModel):
    """A proposal with how much speaks for it (0 to 1)."""

    name: str
    score: float


class SuggestedDepartmentRead(BaseModel):
    """A department that probably has the duty."""

    department_id: UUID
    name: str
    division: str
    duty_kind: str
    score: float


class SuggestionRead(BaseModel):
    """Ranked proposals. A person decides."""

    kinds: list[ScoredRead]
    topics: list[ScoredRead]
    departments: list[SuggestedDepartmentRead]

    @classmethod
    def of(cls, suggestion: Suggestion) -> Self:
        """Rounded: more digits would pretend to more."""
        return cls(
            kinds=[ScoredRead(name=one.name, score=round(one.score, 3)) for one in suggestion.kinds],
            topics=[ScoredRead(name=one.name, score=round(one.score, 3)) for one in suggestion.topics],
            departments=[
                SuggestedDepartmentRead(
                    department_id=one.department.id,
                    name=one.department.name,
                    division=one.department.division,
                    duty_kind=one.duty_kind,
                    score=round(one.score, 3),
                )
                for one in suggestion.departments
            ],
        )


class TimelineEntryRead(BaseModel):
    """One entry. ``hash`` covers it and the hash before it."""

    sequence: int
    at: datetime
    action: str
    actor_kind: str
    actor_id: str | None = Field(description="For the centre only.")
    facts: dict[str, Any]
    hash: str


class TimelineRead(BaseModel):
    """A ticket's history."""

    entries: list[TimelineEntryRead]
    intact: bool = Field(description="Whether every hash follows from the one before.")

    @classmethod
    def of(cls, history: History) -> Self:
        """Oldest first."""
        return cls(
            entries=[
                TimelineEntryRead(
                    sequence=one.sequence,
                    at=one.at,
                    action=one.action,
                    actor_kind=one.actor_kind,
                    actor_id=one.actor_id if history.shows_actors else None,
                    facts=one.facts,
                    hash=one.hash.hex(),
                )
                for one in history.entries
            ],
            intact=history.intact,
        )


def _summary(shown: Shown) -> dict[str, Any]:
    row = shown.row
    return {
        "id": row.id,
        "number": row.number,
        "kind": row.kind,
        "kind_label": KIND_LABELS[row.kind],
        "urgency": row.urgency,
        "urgency_label": URGENCY_LABELS[row.urgency],
        "status": row.status,
        "status_label": STATUS_LABELS[row.status],
        "channel": row.channel,
        "division": row.division,
        "department_id": row.department_id,
        "department_name": shown.department_name,
        "sign_deadline": _deadline(shown, row.sign_due_at, row.sign_due_date),
        "handle_deadline": _deadline(shown, row.handle_due_at, row.handle_due_date),
        "overdue": shown.overdue,
        "urges": shown.urges,
        "contact_no": row.contact_no,
        "created_at": row.created_at,
    }


def _deadline(shown: Shown, due_at: datetime | None, due_date: date | None) -> dict[str, Any] | None:
    if due_at is None:
        return None
    return {
        "due_at": due_at,
        "due_date": due_date,
        "calendar_version": shown.row.calendar_version,
        "provisional": shown.row.provisional,
    }
