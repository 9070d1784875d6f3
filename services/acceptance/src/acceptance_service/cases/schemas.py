"""HTTP shapes of cases and tasks."""

from datetime import date, datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from pydantic.config import JsonDict

from acceptance_service.applications.domain import Provision
from acceptance_service.cases.domain.rules import (
    LONGEST_SUPPLEMENT_WORKDAYS,
    AcceptanceMode,
    TaskKind,
    TaskStatus,
)
from acceptance_service.cases.domain.states import Action, CaseStatus
from acceptance_service.files.schemas import FileRead
from gov_rules.licensing_law import SpecialProcedure
from service_common.contracts.acceptance import HolderKind, Outcome
from service_common.contracts.certificates import LicenceStatus

Reason = Field(min_length=1, max_length=4000)


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class ReasonBody(_Body):
    """Why."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"reasons": "经营场所地址与房产证明不一致。"}]}
    )

    reasons: str = Reason


class MissingBody(_Body):
    """One thing that is missing or ill-formed."""

    code: str = Field(max_length=60, description="Code of the material, or name of the form field.")
    reason: str = Field(min_length=1, max_length=1000)


class CorrectionBody(_Body):
    """The one-off notice 一次性告知: everything at once."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"missing": [{"code": "43TCP0018-M10", "reason": "平面布置图未标注疏散通道。"}]}]
        },
    )

    missing: list[MissingBody] = Field(max_length=100)


class AcceptBody(_Body):
    """How the case is accepted."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"mode": "REGULAR"}]})

    mode: AcceptanceMode = AcceptanceMode.REGULAR
    supplement_workdays: int = Field(
        default=LONGEST_SUPPLEMENT_WORKDAYS,
        ge=1,
        le=LONGEST_SUPPLEMENT_WORKDAYS,
        description="For TOLERANCE: working days to supplement what is missing.",
    )


_REFUSAL_EXAMPLE: JsonDict = {
    "reasons": "不属于本机关职权范围（行政许可法第三十二条第一款第二项）。",
    "remedies": "可自收到本决定之日起六十日内申请行政复议，或者六个月内提起行政诉讼。",
    "competent_organ": "湘潭市住房和城乡建设局",
}


class RefusalBody(_Body):
    """Reasons and remedies of a refusal; both are mandatory (行政许可法 Art. 38)."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_REFUSAL_EXAMPLE]})

    reasons: str = Field(max_length=4000)
    remedies: str = Field(max_length=2000)
    competent_organ: str = Field(
        default="", max_length=200, description="The right organ, when it is not this one."
    )


class DecisionBody(_Body):
    """The decision; a rejection states reasons and remedies."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"outcome": "APPROVED"}]})

    outcome: Outcome
    reasons: str = Field(default="", max_length=4000)
    remedies: str = Field(default="", max_length=2000)


class SuspendBody(_Body):
    """A special procedure whose time does not count (Art. 45)."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"procedure": "EXPERT_REVIEW", "reason": "需组织专家评审。", "planned_workdays": 15}]
        },
    )

    procedure: SpecialProcedure
    reason: str = Reason
    planned_workdays: int = Field(ge=1, le=250)


class ResumeBody(_Body):
    """The result of the special procedure."""

    result: str = Reason


class ExtendBody(_Body):
    """An extension, once (Art. 42): at most 10 working days, 15 for joint cases."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"workdays": 5, "reasons": "需补充核查。"}]}
    )

    workdays: int = Field(ge=1, le=15)
    reasons: str = Reason


class TaskBody(_Body):
    """A task of a case."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "kind": "SITE_CHECK",
                    "title": "经营场所现场核查",
                    "staff_ids": [
                        "0197a5f0-5c1e-7d54-9d6a-0d2c3f6b7a11",
                        "0197a5f0-5c1e-7d54-9d6a-0d2c3f6b7a12",
                    ],
                    "limit_workdays": 3,
                }
            ]
        },
    )

    kind: TaskKind
    title: str = Field(min_length=1, max_length=200)
    department_id: UUID | None = Field(
        default=None, description="The consulted department, for CONSULTATION."
    )
    staff_ids: list[UUID] = Field(
        default_factory=list, max_length=20, description="Two or more for SITE_CHECK."
    )
    limit_workdays: int | None = Field(default=None, ge=1, le=60)


class TaskResultBody(_Body):
    """What came out of a task."""

    result: str = Reason


class TaskRead(BaseModel):
    """A task."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    case_id: UUID
    kind: TaskKind
    title: str
    status: TaskStatus
    department_id: UUID
    staff_ids: list[str]
    opened_at: datetime
    due_at: datetime | None
    done_at: datetime | None
    result: str | None = None


class DueRead(BaseModel):
    """A deadline: the instant and the local day, with the calendar that says so."""

    on: date
    at: datetime = Field(description="The first instant at which it is missed.")
    calendar: str
    provisional: bool = Field(description="A year without a published notice was counted: it may move.")


class CaseRow(BaseModel):
    """A case in a list: personal data masked."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0197a5f0-5c1e-7d54-9d6a-0d2c3f6b7a20",
                    "project_no": "11430300006122244L30001310240002026070100001",
                    "application_id": "0197a5f0-5c1e-7d54-9d6a-0d2c3f6b7a21",
                    "item_code": "HN-430300-000131024000-01",
                    "item_name": "食品经营许可",
                    "status": "SUBMITTED",
                    "status_label": "已提交",
                    "department_id": "0197a5f0-5c1e-7d54-9d6a-0d2c3f6b7a22",
                    "division": "430300000000",
                    "applicant_kind": "NATURAL_PERSON",
                    "applicant": "王**",
                    "claimed_by": None,
                    "submitted_at": "2026-07-01T02:03:04Z",
                    "version": 1,
                }
            ]
        }
    )

    id: UUID
    project_no: str
    application_id: UUID
    item_code: str
    item_name: str
    status: CaseStatus
    status_label: str
    department_id: UUID
    division: str
    applicant_kind: HolderKind
    applicant: str | None = Field(description="Masked.")
    claimed_by: str | None = None
    submitted_at: datetime | None = None
    intake_due: DueRead | None = None
    promised_due: DueRead | None = None
    statutory_due: DueRead | None = None
    deemed_accepted: bool = False
    outcome: Outcome | None = None
    version: int


class DocumentRead(BaseModel):
    """A written act of the case."""

    kind: str
    number: str
    issued_at: datetime
    body: dict[str, Any]


class ProcedureRead(BaseModel):
    """A special procedure or an extension."""

    kind: str
    reason: str
    started_at: datetime
    planned_workdays: int
    planned_end_at: datetime | None
    ended_at: datetime | None
    result: str | None


class CaseMaterialRead(BaseModel):
    """A material that the case needs, and how it is provided."""

    code: str
    title: str
    required: bool
    tolerated: bool
    provision: Provision
    lapsed: LicenceStatus | None = Field(
        default=None,
        description="What became of the licence that stood in for it; then the material is missing.",
    )
    files: list[FileRead]


class CaseRead(CaseRow):
    """One case with what belongs to it; the form is read apart, for it is recorded."""

    model_config = ConfigDict(json_schema_extra=None)  # the example of the list lacks the fields below

    accepted_at: datetime | None = None
    tolerance: bool = False
    promise: bool = False
    instant: bool = False
    decided_at: datetime | None = None
    licence_identifier: str | None = None
    actions: list[Action] = Field(description="What the state allows next.")
    documents: list[DocumentRead]
    tasks: list[TaskRead]
    procedures: list[ProcedureRead]
    materials: list[CaseMaterialRead]


class FullFormRead(BaseModel):
    """The applicant's data in full, as far as this item needs it."""

    form: dict[str, Any]
    applicant: dict[str, Any] | None
    unverified: list[str] = Field(
        description="Fields of the verified profile that were let through while identity did not answer: compare them."
    )
    answers: dict[str, Any]


class TimelineEntry(BaseModel):
    """One entry of the hash-chained history."""

    model_config = ConfigDict(from_attributes=True)

    sequence: int
    at: datetime
    action: str
    actor_kind: Literal["person", "staff", "client", "system"]
    actor_id: str | None = Field(
        default=None, description="Who did it; of staff only who helped in the applicant's name 帮代办."
    )
    on_behalf_of: str | None = Field(default=None, description="In whose name, when by delegation.")
    facts: dict[str, Any]
    hash: str


class TimelineRead(BaseModel):
    """The whole history, oldest first."""

    entries: list[TimelineEntry]
    intact: bool = Field(description="Gap-free, and every hash follows from the one before.")
