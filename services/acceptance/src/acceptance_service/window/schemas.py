"""HTTP shapes of the window."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from acceptance_service.applications.domain import Delivery
from acceptance_service.applications.models import Application
from acceptance_service.bundles.domain import Plan
from acceptance_service.submissions.presenting import show_draft, show_row
from acceptance_service.submissions.schemas import Answer, ApplicationRow, Code, DraftChangeBody, DraftRead
from acceptance_service.window.handlers.opening import Wish
from acceptance_service.window.models import WindowSitting
from service_common.errors import FieldProblem
from service_common.presence import PresenceMethod

Proof = Annotated[
    str,
    Field(
        min_length=20,
        max_length=4000,
        description="From `POST /identity/v1/counter-checks/presences` or `/counter-checks`; used up here.",
    ),
]
_PROOF = "eyJhbGciOiJFUzI1NiIsInR5cCI6InByZXNlbmNlK2p3dCJ9.eyJqdGkiOiIuLi4ifQ.c2lnbmVk"


class WindowDraftBody(BaseModel):
    """What somebody at the window applies for. Who applies stands in the proof of presence and nowhere else."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "presence": _PROOF,
                    "bundle_code": "43TCP0018",
                    "division": "430300000000",
                    "answers": {"entity_type": "company", "food_scale": "regular"},
                }
            ]
        },
    )

    presence: Proof
    bundle_code: Code | None = None
    item_code: Code | None = None
    division: str | None = Field(default=None, pattern=r"^\d{6}(\d{6})?$")
    answers: dict[str, Answer] = Field(default_factory=dict, max_length=200)
    delivery: Delivery = Delivery.ELECTRONIC
    in_addition: bool = Field(
        default=False, description="Another application beside an open one for the same thing is meant."
    )
    go_on: bool = Field(
        default=False,
        description="Go on with the draft that the applicant has begun for it online, if there is one: with its answers, not these.",
    )

    @model_validator(mode="after")
    def _one_subject(self) -> "WindowDraftBody":
        if (self.bundle_code is None) is (self.item_code is None):
            raise ValueError("exactly one of bundle_code and item_code")
        return self

    def wish(self) -> Wish:
        """Without the proof."""
        return Wish(**{name: getattr(self, name) for name in Wish.__dataclass_fields__})


class SittingBody(BaseModel):
    """Somebody comes with an application: one they have begun or handed in, online or here."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"presence": _PROOF, "number": "YJS43030020260701000001"}]},
    )

    presence: Proof
    application_id: UUID | None = None
    number: str | None = Field(default=None, min_length=5, max_length=50, description="On the receipt.")

    @model_validator(mode="after")
    def _one_of_them(self) -> "SittingBody":
        if (self.application_id is None) is (self.number is None):
            raise ValueError("exactly one of application_id and number")
        return self

    def which(self) -> UUID | str:
        """The application."""
        return self.application_id or self.number or ""


class SittingRead(BaseModel):
    """Until when the clerks of the hall act for who is there, unless the hand-in ends it before."""

    method: PresenceMethod
    trust_level: int = Field(description="Of the applicant.")
    began_at: datetime
    ends_at: datetime

    @classmethod
    def of(cls, row: WindowSitting) -> "SittingRead":
        return cls(method=row.method, trust_level=row.trust_level, began_at=row.began_at, ends_at=row.ends_at)


class WindowDraftRead(DraftRead):
    """A draft at the window, with the sitting that allows it."""

    sitting: SittingRead

    @classmethod
    def begun(cls, application: Application, plan: Plan, sitting: WindowSitting) -> "WindowDraftRead":
        return cls(**vars(show_draft(application, plan)), sitting=SittingRead.of(sitting))


class SatDown(BaseModel):
    """An application that somebody at the window goes on with."""

    application: ApplicationRow
    sitting: SittingRead

    @classmethod
    def of(cls, application: Application, sitting: WindowSitting) -> "SatDown":
        return cls(application=show_row(application), sitting=SittingRead.of(sitting))


class WindowChangeBody(DraftChangeBody):
    """What is changed about a draft. Promises are signed by the applicant on paper, of which a file is given."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "promises": ["one_thing_promise"],
                    "signed_paper": "0197a5f0-5c1e-7d54-9d6a-0d2c3f6b7a10",
                }
            ]
        },
    )

    signed_paper: UUID | None = Field(
        default=None, description="File that the clerk has uploaded; needed with promises."
    )


class LackingRead(BaseModel):
    """One thing that is missing or wrong."""

    pointer: str
    code: str
    detail: str


class NoticeRead(BaseModel):
    """The one-off notice 一次性告知: all of it. Empty: nothing is in the way of handing in."""

    told_at: datetime
    lacking: list[LackingRead]

    @classmethod
    def of(cls, problems: list[FieldProblem], *, language: str, told_at: datetime) -> "NoticeRead":
        return cls(
            told_at=told_at,
            lacking=[
                LackingRead(pointer=one.pointer, code=one.code, detail=one.en if language == "en" else one.zh)
                for one in problems
            ],
        )
