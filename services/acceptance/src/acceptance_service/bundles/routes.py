"""Questions, plans and savings, open to everybody: lists must be public (行政许可法 Art. 30)."""

from typing import Annotated

from fastapi import Depends, Query

from acceptance_service.bundles import handlers
from acceptance_service.bundles.domain import Answers
from acceptance_service.bundles.savings_schemas import SavingsRead
from acceptance_service.bundles.schemas import (
    DivisionText,
    PlanRead,
    PlanRequest,
    QuestionsRead,
)
from acceptance_service.catalogue.schemas import BundleCodePath, ItemCodePath
from acceptance_service.departments.handlers import department_names
from service_common.app import api_router
from service_common.auth import PUBLIC
from service_common.db import Session
from service_common.errors import FieldProblem, Invalid

router = api_router("bundles", prefix="/acceptance/v1")


class BadAnswerParameter(Invalid):
    """A query parameter ``answer`` is ``question:value``; a multiple choice repeats it."""

    code = "bad_answer_parameter"
    zh = "answer 参数应为“问题:选项”。"
    en = "An `answer` parameter is `question:value`."


@router.get(
    "/bundles/{code}/questions",
    summary="Scenario questions of a bundle 情形引导",
    description="In the order they are asked, each with the rule that says when. Ask them one by one, or all at once.",
    dependencies=[PUBLIC],
)
async def read_questions(session: Session, code: BundleCodePath) -> QuestionsRead:
    return QuestionsRead.of(await handlers.find_bundle(session, code))


@router.post(
    "/bundles/{code}/plan",
    summary="What an application of a bundle consists of",
    description=(
        "From the answers: items with their order, one merged form (JSON Schema 2020-12 with `x-prefill` hints) and one set "
        "of materials with what can stand in for each. Nothing is stored; incomplete answers give a provisional plan."
    ),
    dependencies=[PUBLIC],
)
async def plan_bundle(session: Session, code: BundleCodePath, body: PlanRequest) -> PlanRead:
    shown = await handlers.show_plan(
        session,
        bundle_code=code,
        division=body.division,
        answers=body.answers,
        applicant_kind=body.applicant_kind,
    )
    names = await department_names(session, shown.department_ids)
    return PlanRead.of(shown.plan, names, shown.related_items, shown.not_for_applicant)


@router.post(
    "/items/{code}/plan",
    summary="What an application of a single item consists of",
    description="As for a bundle, without questions. 409 `guide_missing` for an item whose guide the catalogue lacks.",
    dependencies=[PUBLIC],
)
async def plan_item(session: Session, code: ItemCodePath, body: PlanRequest) -> PlanRead:
    shown = await handlers.show_plan(
        session,
        item_code=code,
        division=body.division,
        answers=body.answers,
        applicant_kind=body.applicant_kind,
    )
    names = await department_names(session, shown.department_ids)
    return PlanRead.of(shown.plan, names, shown.related_items, shown.not_for_applicant)


async def _answers_of_query(
    answer: Annotated[
        list[Annotated[str, Query(max_length=90)]] | None,
        Query(
            max_length=100, description="`question:value`, repeated; a multiple choice repeats its question."
        ),
    ] = None,
) -> Answers:
    """Raises: BadAnswerParameter."""
    answers: dict[str, list[str]] = {}
    for one in answer or ():
        question, separator, value = one.partition(":")
        if not separator or not question:
            raise BadAnswerParameter(
                fields=[
                    FieldProblem(
                        "query:answer", BadAnswerParameter.code, BadAnswerParameter.zh, BadAnswerParameter.en
                    )
                ]
            )
        answers.setdefault(question, []).append(value)
    return dict(answers)


@router.get(
    "/bundles/{code}/savings",
    summary="What the bundle saves on a path",
    description=(
        "Applications, materials, form fields, working days and visits before and after, computed from the catalogue, beside the "
        "source's own `reform` figures. What the catalogue lacks is null with a note, and the known part is a lower bound."
    ),
    dependencies=[PUBLIC],
)
async def read_savings(
    session: Session,
    code: BundleCodePath,
    answers: Annotated[Answers, Depends(_answers_of_query)],
    division: Annotated[DivisionText | None, Query()] = None,
) -> SavingsRead:
    return SavingsRead.of(
        await handlers.show_savings(session, bundle_code=code, division=division, answers=answers)
    )


@router.post(
    "/bundles/{code}/savings",
    summary="What the bundle saves on a path, with the answers in the body",
    description="As GET, for the same body that a plan takes.",
    dependencies=[PUBLIC],
)
async def compute_savings(session: Session, code: BundleCodePath, body: PlanRequest) -> SavingsRead:
    return SavingsRead.of(
        await handlers.show_savings(session, bundle_code=code, division=body.division, answers=body.answers)
    )
