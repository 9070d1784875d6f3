"""HTTP shapes of questions, plans and savings."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from pydantic.config import JsonDict

from acceptance_service.bundles.domain import (
    DependencyMode,
    Plan,
    PlannedMaterial,
    SatisfactionKind,
    SatisfiedBy,
)
from acceptance_service.bundles.planning import PublishedBundle
from acceptance_service.catalogue.bundle_definition import Question
from acceptance_service.catalogue.domain import ApplicantKind, Limit, LimitUnit, ProjectType

AnswerText = Annotated[str, StringConstraints(max_length=40)]
DivisionText = Annotated[str, StringConstraints(pattern=r"^[0-9]{6}([0-9]{3}){0,2}$")]

_ANSWERS_EXAMPLE: JsonDict = {
    "entity_type": "individual",
    "food_scope": "prepackaged",
    "public_place": "no",
    "public_gathering": "no",
    "premises": "same",
    "signboard": "no",
    "hand_in": "self",
}


class PlanRequest(BaseModel):
    """Answers to the scenario questions: a value, or a list for a multiple choice."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"answers": _ANSWERS_EXAMPLE, "applicant_kind": "NATURAL_PERSON", "division": "430304000000"}
            ]
        },
    )

    answers: Annotated[
        dict[AnswerText, AnswerText | Annotated[list[AnswerText], Field(max_length=50)]], Field(max_length=60)
    ] = Field(default_factory=dict)
    applicant_kind: ApplicantKind | None = None
    division: DivisionText | None = Field(default=None, description="Area code of 6, 9 or 12 digits.")


class OptionRead(BaseModel):
    """One option."""

    model_config = ConfigDict(from_attributes=True)

    value: str
    label: str


class QuestionRead(BaseModel):
    """One scenario question; ``when`` is a rule over earlier answers (rules.md), null: always asked."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "code": "fire_procedure",
                    "title": "消防安全检查选择哪种方式？",
                    "help": None,
                    "kind": "SINGLE",
                    "min_choices": 1,
                    "options": [
                        {"value": "promise", "label": "告知承诺"},
                        {"value": "regular", "label": "一般流程"},
                    ],
                    "when": {"eq": ["public_gathering", "yes"]},
                }
            ]
        }
    )

    code: str
    title: str
    help: str | None
    kind: str
    min_choices: int
    options: list[OptionRead]
    when: dict[str, Any] | None

    @classmethod
    def of(cls, question: Question) -> "QuestionRead":
        return cls(
            code=question.code,
            title=question.title,
            help=question.help,
            kind=question.kind.upper(),
            min_choices=question.min_choices if question.kind == "multi" else 1,
            options=[OptionRead.model_validate(one) for one in question.options],
            when=question.when,
        )


class QuestionsRead(BaseModel):
    """Every question of a bundle in the order they are asked."""

    bundle_code: str
    bundle_version: int
    title: str
    questions: list[QuestionRead]

    @classmethod
    def of(cls, bundle: PublishedBundle) -> "QuestionsRead":
        return cls(
            bundle_code=bundle.definition.code,
            bundle_version=bundle.version,
            title=bundle.definition.title,
            questions=[QuestionRead.of(one) for one in bundle.definition.scenario.questions],
        )


class LimitRead(BaseModel):
    """A time limit."""

    value: int
    unit: LimitUnit
    label: str

    @classmethod
    def of(cls, limit: Limit | None) -> "LimitRead | None":
        if limit is None:
            return None
        return cls(value=limit.value, unit=limit.unit, label=f"{limit.value} {_UNITS[limit.unit]}")


_UNITS = {LimitUnit.WORKDAY: "个工作日", LimitUnit.CALENDAR_DAY: "日", LimitUnit.HOUR: "小时"}


class PlannedItemRead(BaseModel):
    """One item of the plan. Items without ``depends_on`` start at once and run in parallel."""

    item_code: str
    item_version: int
    name: str
    department_id: UUID
    department_name: str
    division: str
    depends_on: list[str]
    dependency_mode: DependencyMode
    promised_limit: LimitRead | None
    statutory_limit: LimitRead | None
    project_type: ProjectType
    result_name: str | None
    licence_type_code: str | None
    instant: bool = Field(description="May be decided at once by rule 秒批.")
    notify_promise: bool = Field(description="告知承诺.")
    min_trust_level: int


class MaterialStatus(StrEnum):
    """What a material means for the applicant on this path, before their own licences are looked at."""

    REQUIRED = "REQUIRED"
    OPTIONAL = "OPTIONAL"
    WAIVED = "WAIVED"


_STATUS_LABELS = {
    MaterialStatus.REQUIRED: "必要",
    MaterialStatus.OPTIONAL: "可选",
    MaterialStatus.WAIVED: "免提交",
}


class WaiverRead(BaseModel):
    """What can stand in for the file. Whether it does is known when the application looks at the applicant's own data."""

    kind: SatisfactionKind
    licence_type_code: str | None
    field: str | None
    promise: str | None
    label: str

    @classmethod
    def of(cls, way: SatisfiedBy) -> "WaiverRead":
        return cls(
            kind=way.kind,
            licence_type_code=way.licence_type_code,
            field=way.field,
            promise=way.promise,
            label=_WAIVERS[way.kind],
        )


_WAIVERS = {
    SatisfactionKind.LICENCE: "持有有效电子证照的，免提交",
    SatisfactionKind.VERIFIED_PROFILE_FIELD: "实名信息已核验的，免提交",
    SatisfactionKind.PROMISE: "在线签署承诺的，免提交",
    SatisfactionKind.JOINT_FORM: "内容由联合表单采集，免提交",
}


class PlannedMaterialRead(BaseModel):
    """One material, asked for once for all the items that need it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "code": "43TCP0018-M01",
                    "title": "开办超市、便利店“一件事”申请表",
                    "status": "WAIVED",
                    "status_label": "免提交",
                    "waived_because": "内容由联合表单采集，免提交",
                    "items": ["HN-430300-43TCP0018-05"],
                    "can_be_replaced_by": [
                        {
                            "kind": "joint_form",
                            "licence_type_code": None,
                            "field": None,
                            "promise": None,
                            "label": "内容由联合表单采集，免提交",
                        }
                    ],
                    "tolerance_allowed": False,
                    "tolerated_in": [],
                    "medium": "PAPER_AND_ELECTRONIC",
                    "submit_way": "ONLINE_OR_ONSITE",
                    "copies": 1,
                    "formats": ["application/pdf", "image/jpeg", "image/png"],
                }
            ]
        }
    )

    code: str
    title: str
    status: MaterialStatus
    status_label: str
    waived_because: str | None
    items: list[str]
    can_be_replaced_by: list[WaiverRead]
    tolerance_allowed: bool
    tolerated_in: list[str]
    medium: str
    submit_way: str
    copies: int
    formats: list[str]

    @classmethod
    def of(cls, material: PlannedMaterial) -> "PlannedMaterialRead":
        collected = any(one.kind is SatisfactionKind.JOINT_FORM for one in material.satisfied_by)
        status = MaterialStatus.WAIVED if collected else MaterialStatus(material.necessity.value)
        return cls(
            code=material.code,
            title=material.title,
            status=status,
            status_label=_STATUS_LABELS[status],
            waived_because=_WAIVERS[SatisfactionKind.JOINT_FORM] if collected else None,
            items=list(material.items),
            can_be_replaced_by=[WaiverRead.of(one) for one in material.satisfied_by],
            tolerance_allowed=material.tolerance_allowed,
            tolerated_in=list(material.tolerated_in),
            medium=material.medium,
            submit_way=material.submit_way,
            copies=material.copies,
            formats=list(material.formats),
        )


class RelatedItemRead(BaseModel):
    """An item outside the bundle that somebody on this path should know of."""

    item_code: str
    note: str


class PlanRead(BaseModel):
    """What an application consists of on the path of the answers.

    While ``questions_unanswered`` is not empty the plan is provisional.
    """

    bundle_code: str | None
    bundle_version: int | None
    title: str
    division: str
    lead_department_id: UUID
    lead_department_name: str
    promised_limit: LimitRead | None
    min_trust_level: int
    complete: bool
    questions_unanswered: list[str]
    answers: dict[str, str | list[str]]
    items: list[PlannedItemRead]
    form_schema: dict[str, Any]
    materials: list[PlannedMaterialRead]
    promises: list[str]
    related_items: list[RelatedItemRead]
    not_for_applicant: list[str] = Field(description="Items that do not serve this kind of applicant.")

    @classmethod
    def of(
        cls,
        plan: Plan,
        names: Mapping[UUID | None, str],
        related: tuple[tuple[str, str], ...] = (),
        not_for_applicant: tuple[str, ...] = (),
    ) -> "PlanRead":
        return cls(
            bundle_code=plan.bundle_code,
            bundle_version=plan.bundle_version,
            title=plan.title,
            division=plan.division,
            lead_department_id=plan.lead_department_id,
            lead_department_name=names.get(plan.lead_department_id, ""),
            promised_limit=LimitRead.of(plan.promised_limit),
            min_trust_level=plan.min_trust_level,
            complete=plan.complete,
            questions_unanswered=list(plan.questions_unanswered),
            answers=plan.answers,
            items=[
                PlannedItemRead(
                    item_code=one.item_code,
                    item_version=one.item_version,
                    name=one.name,
                    department_id=one.department_id,
                    department_name=names.get(one.department_id, ""),
                    division=one.division,
                    depends_on=list(one.depends_on),
                    dependency_mode=one.dependency_mode,
                    promised_limit=LimitRead.of(one.promised_limit),
                    statutory_limit=LimitRead.of(one.statutory_limit),
                    project_type=one.project_type,
                    result_name=one.result_name,
                    licence_type_code=one.licence_type_code,
                    instant=one.instant_rule is not None,
                    notify_promise=one.notify_promise,
                    min_trust_level=one.min_trust_level,
                )
                for one in plan.items
            ],
            form_schema=plan.form_schema,
            materials=[PlannedMaterialRead.of(one) for one in plan.materials],
            promises=list(plan.promises),
            related_items=[RelatedItemRead(item_code=code, note=note) for code, note in related],
            not_for_applicant=list(not_for_applicant),
        )
