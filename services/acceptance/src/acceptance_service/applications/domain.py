"""What citizens send: states, forms, materials and how they are provided. Pure."""

import copy
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any
from uuid import UUID

from jsonschema import Draft202012Validator, FormatChecker

from acceptance_service.bundles.domain import (
    Necessity,
    Plan,
    PlannedMaterial,
    SatisfactionKind,
    SatisfiedBy,
)
from service_common.contracts.acceptance import Channel
from service_common.contracts.certificates import LicenceStatus
from service_common.errors import Conflict, FieldProblem, Invalid, NotFound

MATTERS = "acceptance"
"""How delegations name what is applied for here: ``acceptance:<code of the item or theme>``."""

# The real-name check compares name and number with the register: from this trust level on they are verified.
VERIFIED_PROFILE_LEVEL = 2


class ApplicationStatus(StrEnum):
    """The whole of an application, derived from its cases once it is submitted."""

    DRAFT = "DRAFT"
    IN_PROGRESS = "IN_PROGRESS"
    ACTION_NEEDED = "ACTION_NEEDED"
    FINISHED = "FINISHED"
    WITHDRAWN = "WITHDRAWN"
    DISCARDED = "DISCARDED"

    @property
    def label(self) -> str:
        """The Chinese word that people read."""
        return _LABELS[self]


_LABELS = {
    ApplicationStatus.DRAFT: "暂存",
    ApplicationStatus.IN_PROGRESS: "办理中",
    ApplicationStatus.ACTION_NEEDED: "需要您处理",
    ApplicationStatus.FINISHED: "已办结",
    ApplicationStatus.WITHDRAWN: "已撤回",
    ApplicationStatus.DISCARDED: "已放弃",
}


CHANNEL_LABELS = {Channel.ONLINE: "网上提交", Channel.WINDOW: "窗口受理"}


@dataclass(frozen=True, slots=True)
class Window:
    """The clerk at whose window somebody applies, and the department whose window it is."""

    staff_id: UUID
    department_id: UUID


class Delivery(StrEnum):
    """How the result reaches the applicant 送达方式."""

    ELECTRONIC = "ELECTRONIC"
    WINDOW = "WINDOW"
    COURIER = "COURIER"


class Provision(StrEnum):
    """How a material is provided, or not."""

    MISSING = "MISSING"
    FILES = "FILES"
    LICENCE = "LICENCE"
    PROFILE = "PROFILE"
    PROMISE = "PROMISE"
    JOINT_FORM = "JOINT_FORM"


class NoSuchApplication(NotFound):
    """Not there, or not the caller's to see."""

    code = "no_such_application"
    zh = "没有找到该申请。"
    en = "There is no such application."


class NotEditable(Conflict):
    """Submitted, and nobody asked for changes."""

    code = "application_not_editable"
    zh = "申请已提交，当前不能修改。"
    en = "The application was submitted and cannot be changed now."


class NotDraft(Conflict):
    """Only a draft can be handed in."""

    code = "application_not_draft"
    zh = "申请已提交，不能重复提交。"
    en = "The application was submitted already."


class AlreadyDiscarded(Conflict):
    """It was given up before it was handed in: there is nothing to take back."""

    code = "application_discarded"
    zh = "该申请草稿已放弃。"
    en = "The draft was discarded already."


class OpenApplicationExists(Conflict):
    """The same thing is applied for already (one open application per applicant, subject and division)."""

    code = "open_application_exists"
    zh = "该申请人在本地已有同一事项的在办申请；确需再次申请的，请将 in_addition 设为 true。"
    en = "This applicant has an open application for it here: set in_addition if another one is meant."


class NotForThisApplicant(Invalid):
    """The item does not serve natural persons, or not legal ones 服务对象."""

    code = "not_for_this_applicant"
    zh = "该事项的服务对象不包括此类申请人。"
    en = "The item does not serve this kind of applicant."


class FormInvalid(Invalid):
    """The form does not follow its schema."""

    code = "form_invalid"
    zh = "表单内容不符合要求，请检查 errors 中列出的字段。"
    en = "The form does not follow its schema: see `errors`."


class QuestionsUnanswered(Invalid):
    """The scenario questions of the path are not all answered."""

    code = "questions_unanswered"
    zh = "情形引导问题尚未全部回答：{questions}。"
    en = "Scenario questions are unanswered: {questions}."


class NothingToApplyFor(Invalid):
    """No item applies to the answers."""

    code = "nothing_to_apply_for"
    zh = "根据您的回答，没有需要办理的事项。"
    en = "No item applies to these answers."


class SubmissionIncomplete(Invalid):
    """Something required is missing."""

    code = "submission_incomplete"
    zh = "申请尚不完整，请检查 errors 中列出的内容。"
    en = "The application is incomplete: see `errors`."


class NoSuchMaterial(NotFound):
    """The plan does not ask for it: nobody may ask for, or send, what is not in the guide (Art. 31)."""

    code = "no_such_material"
    zh = "本申请不需要材料 {code_}。"
    en = "This application does not ask for material {code_}."


class ProvisionNotOffered(Invalid):
    """The material cannot be provided in this way."""

    code = "provision_not_offered"
    zh = "该材料不能以此方式提供。"
    en = "The material cannot be provided in this way."


class LicenceNotUsable(Invalid):
    """Not the applicant's, not of the right type, or not valid now."""

    code = "licence_not_usable"
    zh = "该电子证照不属于申请人、类型不符或当前无效，请上传材料。"
    en = "The licence is not the applicant's, not of the right type or not valid now: upload the document."


class ProfileNotVerified(Invalid):
    """The real-name profile does not hold this value as verified."""

    code = "profile_not_verified"
    zh = "您的实名信息尚未核验，请先完成实名认证或上传材料。"
    en = "Your profile is not verified: verify your identity or upload the document."


class UnknownPromise(Invalid):
    """The plan has no such promise to sign."""

    code = "unknown_promise"
    zh = "没有名为 {promise} 的承诺书。"
    en = "There is no promise {promise} to sign."


@dataclass(frozen=True, slots=True)
class HeldState:
    """As much of a licence as tells whether it still stands in for a material."""

    licence_id: UUID
    type_code: str
    status: LicenceStatus


def lapse_of(licence_id: UUID | None, held: Collection[HeldState]) -> LicenceStatus | None:
    """The state for which a licence no longer stands in for a material; None while it does.

    A changed or renewed licence is superseded by its next version, and that one serves as well.
    """
    licence = next((one for one in held if one.licence_id == licence_id), None)
    if licence is None:
        return LicenceStatus.CANCELLED
    renewed = licence.status is LicenceStatus.SUPERSEDED and any(
        one.type_code == licence.type_code and one.status is LicenceStatus.NORMAL for one in held
    )
    return None if renewed or licence.status is LicenceStatus.NORMAL else licence.status


def need_known_promises(plan: Plan, promises: Iterable[str]) -> None:
    """Only what the plan offers can be signed. Raises: UnknownPromise."""
    for promise in promises:
        if promise not in plan.promises:
            raise UnknownPromise(promise=promise)


def derive_status(cases: Collection["CaseStanding"]) -> ApplicationStatus:
    """The state of the whole, from the states of its cases."""
    if all(one.ended for one in cases):
        withdrawn = all(one.withdrawn for one in cases)
        return ApplicationStatus.WITHDRAWN if withdrawn else ApplicationStatus.FINISHED
    if any(one.with_applicant for one in cases):
        return ApplicationStatus.ACTION_NEEDED
    return ApplicationStatus.IN_PROGRESS


@dataclass(frozen=True, slots=True)
class CaseStanding:
    """As much of a case as its application needs to know."""

    item_code: str
    ended: bool
    withdrawn: bool
    with_applicant: bool


def need_complete_plan(plan: Plan) -> None:
    """Every question answered, and something to apply for. Raises: QuestionsUnanswered, NothingToApplyFor."""
    if not plan.complete:
        raise QuestionsUnanswered(questions="、".join(plan.questions_unanswered))
    if not plan.items:
        raise NothingToApplyFor


def check_form(schema: Mapping[str, Any], form: Mapping[str, Any], *, complete: bool) -> None:
    """Validates a form; a draft may lack fields, and never has unknown ones. Raises: FormInvalid."""
    applied = copy.copy(dict(schema))
    applied["additionalProperties"] = False
    if not complete:
        applied["required"] = []
    validator = Draft202012Validator(applied, format_checker=FormatChecker())
    problems = [problem for error in validator.iter_errors(form) for problem in _problems_of(error, schema)]
    if problems:
        raise FormInvalid(fields=problems)


def _problems_of(error: Any, schema: Mapping[str, Any]) -> Iterable[FieldProblem]:
    """The value itself is left out: it may be personal, and problem documents travel far."""
    path = "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in error.absolute_path)
    if error.validator == "required":
        for name in error.validator_value:
            if name not in error.instance:
                title = schema.get("properties", {}).get(name, {}).get("title", name)
                yield FieldProblem(f"{path}/{name}", "required", f"请填写“{title}”", f"{title} is required")
        return
    if error.validator == "additionalProperties":
        for name in sorted(set(error.instance) - set(schema.get("properties", {}))):
            yield FieldProblem(f"{path}/{name}", "unknown_field", "不认识的字段", "Unknown field")
        return
    yield FieldProblem(
        path or "/",
        str(error.validator),
        f"内容不符合要求（{error.validator}）",
        f"Breaks `{error.validator}`",
    )


@dataclass(frozen=True, slots=True)
class Provided:
    """How a material stands; ``way`` MISSING when nothing was done about it."""

    code: str
    way: Provision


def find_material(plan: Plan, code: str) -> PlannedMaterial:
    """The plan's material. Raises: NoSuchMaterial."""
    for material in plan.materials:
        if material.code == code:
            return material
    raise NoSuchMaterial(code_=code)


def need_offered(material: PlannedMaterial, kind: SatisfactionKind) -> Sequence[SatisfiedBy]:
    """The plan's ways of this kind. Raises: ProvisionNotOffered."""
    ways = [one for one in material.satisfied_by if one.kind is kind]
    if not ways:
        raise ProvisionNotOffered
    return ways


def resolve_provision(
    material: PlannedMaterial, stored: Provision | None, promises: Collection[str]
) -> Provision:
    """How a material counts at submission: as provided, by the joint form, or by a promise that was signed."""
    if stored is not None and stored is not Provision.MISSING:
        return stored
    kinds = {one.kind for one in material.satisfied_by}
    if SatisfactionKind.JOINT_FORM in kinds:
        return Provision.JOINT_FORM
    if any(one.promise in promises for one in material.satisfied_by if one.promise):
        return Provision.PROMISE
    return Provision.MISSING


def gaps_of(
    materials: Iterable[tuple[PlannedMaterial, Provision]], *, tolerance_promised: bool
) -> list[FieldProblem]:
    """Required materials that are missing and that a promise to supplement does not cover."""
    problems = []
    for material, provision in materials:
        if material.necessity is not Necessity.REQUIRED or provision is not Provision.MISSING:
            continue
        tolerated = bool(material.items) and set(material.items) <= set(material.tolerated_in)
        if tolerated and tolerance_promised:
            continue
        hint = "；可承诺容缺后补" if tolerated else ""
        problems.append(
            FieldProblem(
                f"/materials/{material.code}",
                "material_missing",
                f"请提供“{material.title}”{hint}",
                f"Provide {material.title}",
            )
        )
    return problems
