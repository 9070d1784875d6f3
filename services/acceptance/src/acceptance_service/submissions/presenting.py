"""Rows into HTTP shapes."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from acceptance_service.applications.domain import CHANNEL_LABELS
from acceptance_service.applications.models import Application
from acceptance_service.bundles.domain import Plan
from acceptance_service.cases.models import Case
from acceptance_service.files.schemas import FileRead
from acceptance_service.submissions.handlers.following import ApplicationView
from acceptance_service.submissions.handlers.submit import Receipt
from acceptance_service.submissions.schemas import (
    ApplicationRead,
    ApplicationRow,
    CaseBrief,
    DraftRead,
    MaterialRead,
    ReceiptRead,
)


def show_row(application: Application) -> ApplicationRow:
    """An application in a list."""
    return ApplicationRow(**_row(application))


def show_draft(application: Application, plan: Plan) -> DraftRead:
    """A draft with what its plan asks."""
    return DraftRead(
        **_row(application),
        answers=application.answers,
        questions_unanswered=list(plan.questions_unanswered),
        promises=application.promises,
        promises_offered=list(plan.promises),
        delivery=application.delivery,
        item_codes=[one.item_code for one in plan.items],
        material_codes=[one.code for one in plan.materials],
        min_trust_level=plan.min_trust_level,
    )


def show_application(view: ApplicationView) -> ApplicationRead:
    """One application with everything that was entered."""
    application = view.application
    return ApplicationRead(
        **_row(application),
        answers=application.answers,
        promises=application.promises,
        tolerance_promised=application.tolerance_promised,
        delivery=application.delivery,
        query_number=application.query_number,
        form=view.form,
        materials=[
            MaterialRead(
                code=one.code,
                title=one.title,
                required=one.required,
                provision=one.provision,
                licence_id=one.licence_id,
                lapsed=view.lapsed.get(one.code),
                files=[FileRead.model_validate(file) for file in view.files.get(one.code, [])],
            )
            for one in view.materials.values()
        ],
        cases=show_cases(view.cases, view.departments),
    )


def show_receipt(receipt: Receipt) -> ReceiptRead:
    """What is printed after handing in."""
    assert receipt.application.query_number is not None
    return ReceiptRead(
        application=show_row(receipt.application),
        query_number=receipt.application.query_number,
        query_password=receipt.query_password,
        cases=show_cases(receipt.cases, {}),
    )


def show_cases(cases: Sequence[Case], departments: Mapping[UUID | None, str]) -> list[CaseBrief]:
    """The cases, for the applicant."""
    return [
        CaseBrief(
            id=one.id,
            project_no=one.project_no,
            item_code=one.item_code,
            item_name=one.item_name,
            department=departments.get(one.department_id),
            status=one.status,
            status_label=one.status.label,
            waits_for=one.waits_for,
            promised_due_on=one.promised_due_on,
            outcome=one.outcome,
            licence_identifier=one.licence_identifier,
        )
        for one in cases
    ]


def _row(application: Application) -> dict[str, Any]:
    names = ApplicationRow.model_fields.keys() - {"status_label", "channel_label"}
    return {
        **{name: getattr(application, name) for name in names},
        "status_label": application.status.label,
        "channel_label": CHANNEL_LABELS[application.channel],
    }
