"""HTTP shapes of applications."""

from datetime import date, datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from acceptance_service.applications.domain import ApplicationStatus, Delivery, Provision
from acceptance_service.applications.models import Material
from acceptance_service.cases.domain.states import CaseStatus
from acceptance_service.files.schemas import FileRead
from acceptance_service.submissions.domain import Prefill
from service_common.contracts.acceptance import Channel, HolderKind, Outcome
from service_common.contracts.certificates import LicenceStatus

Answer = str | list[str]
Code = Annotated[str, Field(min_length=1, max_length=64)]


class ApplicantBody(BaseModel):
    """Who applies: the caller, or a legal person that the caller represents."""

    model_config = ConfigDict(extra="forbid")

    kind: HolderKind
    id: UUID


class DraftBody(BaseModel):
    """What to apply for: a bundle or a single item."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "bundle_code": "43TCP0018",
                    "division": "430300000000",
                    "applicant": {"kind": "LEGAL_PERSON", "id": "0197a5f0-5c1e-7d54-9d6a-0d2c3f6b7a30"},
                    "answers": {"entity_type": "company", "food_scale": "regular"},
                }
            ]
        },
    )

    bundle_code: Code | None = None
    item_code: Code | None = None
    division: str | None = Field(default=None, pattern=r"^\d{6}(\d{6})?$")
    applicant: ApplicantBody
    answers: dict[str, Answer] = Field(default_factory=dict, max_length=200)
    delivery: Delivery = Delivery.ELECTRONIC
    in_addition: bool = Field(
        default=False, description="Another application beside an open one for the same thing is meant."
    )

    @model_validator(mode="after")
    def _one_subject(self) -> "DraftBody":
        if (self.bundle_code is None) is (self.item_code is None):
            raise ValueError("exactly one of bundle_code and item_code")
        return self


class DraftChangeBody(BaseModel):
    """What is changed about a draft; absent fields stay."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"promises": ["one_thing_promise"]}]}
    )

    answers: dict[str, Answer] | None = Field(default=None, max_length=200)
    delivery: Delivery | None = None
    promises: list[Code] | None = Field(default=None, max_length=50, description="Promises that are signed.")
    tolerance_promised: bool | None = Field(
        default=None, description="Promise to supplement tolerated materials 容缺后补."
    )


class FormBody(BaseModel):
    """The whole form; see the plan's JSON Schema."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"form": {"shop_name": "示例便利店"}}]}
    )

    form: dict[str, Any] = Field(max_length=300)


class ProvisionBody(BaseModel):
    """How a material is provided."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"way": "FILES", "file_ids": ["0197a5f0-5c1e-7d54-9d6a-0d2c3f6b7a10"]}]
        },
    )

    way: Literal[Provision.FILES, Provision.LICENCE, Provision.PROFILE, Provision.PROMISE]
    file_ids: list[UUID] = Field(default_factory=list, max_length=20)
    licence_id: UUID | None = None
    promise: Code | None = None


class MaterialRead(BaseModel):
    """How a material stands."""

    code: str
    title: str
    required: bool
    provision: Provision
    licence_id: UUID | None = None
    lapsed: LicenceStatus | None = Field(
        default=None,
        description="What became of the licence that stood in for it; then the material has to be provided anew.",
    )
    files: list[FileRead] = Field(default_factory=list)

    @classmethod
    def of(cls, row: Material) -> "MaterialRead":
        """Without its files."""
        return cls(
            code=row.code,
            title=row.title,
            required=row.required,
            provision=row.provision,
            licence_id=row.licence_id,
        )


class ApplicationRow(BaseModel):
    """An application in a list."""

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "id": "0197a5f0-5c1e-7d54-9d6a-0d2c3f6b7a21",
                    "number": "YJS43030020260701000001",
                    "title": "开办超市、便利店“一件事”",
                    "status": "IN_PROGRESS",
                    "status_label": "办理中",
                    "bundle_code": "43TCP0018",
                    "subject_code": "43TCP0018",
                    "division": "430300000000",
                    "applicant_kind": "LEGAL_PERSON",
                    "applicant_id": "0197a5f0-5c1e-7d54-9d6a-0d2c3f6b7a30",
                    "submitted_by": "0197a5f0-5c1e-7d54-9d6a-0d2c3f6b7a31",
                    "channel": "ONLINE",
                    "channel_label": "网上提交",
                    "taken_in_by": None,
                    "window_department_id": None,
                    "submitted_at": "2026-07-01T02:03:04Z",
                    "promised_due_on": "2026-07-20",
                    "closed_at": None,
                    "version": 4,
                }
            ]
        },
    )

    id: UUID
    number: str | None
    title: str
    status: ApplicationStatus
    status_label: str
    bundle_code: str | None
    subject_code: str
    division: str
    applicant_kind: HolderKind
    applicant_id: UUID
    submitted_by: UUID = Field(
        description="Who handed it in, or wrote the draft: the applicant, an agent 经办人, or who was entrusted 代办; at a window "
        "who stood there."
    )
    channel: Channel
    channel_label: str
    taken_in_by: UUID | None = Field(
        description="The clerk who took it in at a window 首问负责; null online."
    )
    window_department_id: UUID | None = Field(description="Whose window it was; null online.")
    submitted_at: datetime | None
    promised_due_on: date | None
    closed_at: datetime | None
    version: int


class CaseBrief(BaseModel):
    """A case of an application, for the applicant."""

    id: UUID
    project_no: str
    item_code: str
    item_name: str
    department: str | None
    status: CaseStatus
    status_label: str
    waits_for: list[str]
    promised_due_on: date | None
    outcome: Outcome | None
    licence_identifier: str | None


class ApplicationRead(ApplicationRow):
    """An application with everything that was entered."""

    model_config = ConfigDict(json_schema_extra=None)  # the example of the list lacks the fields below

    answers: dict[str, Answer]
    promises: list[str]
    tolerance_promised: bool
    delivery: Delivery
    query_number: str | None
    form: dict[str, Any]
    materials: list[MaterialRead]
    cases: list[CaseBrief]


class DraftRead(ApplicationRow):
    """A draft after a change, with what its plan still asks."""

    model_config = ConfigDict(json_schema_extra=None)  # the example of the list lacks the fields below

    answers: dict[str, Answer]
    questions_unanswered: list[str]
    promises: list[str]
    promises_offered: list[str]
    delivery: Delivery
    item_codes: list[str]
    material_codes: list[str]
    min_trust_level: int


class ReceiptRead(BaseModel):
    """The receipt of a submission. The query password is shown here and nowhere else."""

    application: ApplicationRow
    query_number: str
    query_password: str = Field(description="Six digits; keep them to follow the progress without login.")
    cases: list[CaseBrief]


class PrefilledFieldRead(BaseModel):
    """A value that may be taken over into the form."""

    model_config = ConfigDict(from_attributes=True)

    value: Any
    source: str
    locked: bool = Field(description="The identity itself: it may not be changed.")


class WaiverRead(BaseModel):
    """A material that need not be uploaded: send it back as `way`."""

    model_config = ConfigDict(from_attributes=True)

    way: Literal["LICENCE", "PROFILE"]
    licence_id: UUID | None
    identifier: str | None
    field: str | None


class PrefillRead(BaseModel):
    """What the government holds already."""

    fields: dict[str, PrefilledFieldRead]
    materials: dict[str, WaiverRead]
    unavailable: list[str] = Field(
        description="Services that did not answer: fill in or upload yourself, or ask again later."
    )

    @classmethod
    def of(cls, found: Prefill) -> "PrefillRead":
        return cls(
            fields={name: PrefilledFieldRead.model_validate(one) for name, one in found.fields.items()},
            materials={code: WaiverRead.model_validate(one) for code, one in found.materials.items()},
            unavailable=list(found.unavailable),
        )


class AccessRead(BaseModel):
    """Somebody saw the applicant's data in full."""

    at: datetime
    case_id: UUID | None = Field(description="Null for a clerk at a window, who saw all of the application.")
    actor_kind: str
    department_id: UUID | None
    what: str
