"""HTTP shapes of the export of one's applications."""

from typing import Any, Self

from pydantic import ConfigDict, Field

from acceptance_service.applications.domain import Delivery
from acceptance_service.cases.schemas import DocumentRead
from acceptance_service.files.schemas import FileRead
from acceptance_service.submissions.handlers.export import MOST_ACCESSES, ExportedApplication
from acceptance_service.submissions.presenting import show_cases, show_row
from acceptance_service.submissions.schemas import (
    AccessRead,
    Answer,
    ApplicationRow,
    CaseBrief,
    MaterialRead,
)


class CaseExport(CaseBrief):
    """A case with its written acts 文书."""

    documents: list[DocumentRead]


class AccessExport(AccessRead):
    """Somebody saw the applicant's data in full, with the name of their department."""

    department: str | None


class ApplicationExport(ApplicationRow):
    """An application in clear, as it is handed to its applicant."""

    model_config = ConfigDict(json_schema_extra=None)  # the example of the list lacks the fields below

    applicant: dict[str, Any] | None = Field(description="Verified name and number, as kept for the case.")
    answers: dict[str, Answer]
    promises: list[str]
    tolerance_promised: bool
    delivery: Delivery
    query_number: str | None
    form: dict[str, Any] = Field(description="The newest version, in clear.")
    materials: list[MaterialRead] = Field(
        description="Contents of files come by `POST /acceptance/v1/applications/{id}/files/{id}/link`."
    )
    cases: list[CaseExport]
    accesses: list[AccessExport] = Field(description=f"Who saw the data in full: the newest {MOST_ACCESSES}.")

    @classmethod
    def of(cls, one: ExportedApplication) -> Self:
        """Everything in one."""
        row = one.application
        briefs = show_cases([case for case, _acts in one.cases], one.departments)
        return cls(
            **vars(show_row(row)),
            applicant=one.profile,
            answers=row.answers,
            promises=row.promises,
            tolerance_promised=row.tolerance_promised,
            delivery=row.delivery,
            query_number=row.query_number,
            form=one.form,
            materials=[
                MaterialRead(
                    code=material.code,
                    title=material.title,
                    required=material.required,
                    provision=material.provision,
                    licence_id=material.licence_id,
                    files=[FileRead.model_validate(file) for file in files],
                )
                for material, files in one.materials
            ],
            cases=[
                CaseExport(**vars(brief), documents=[DocumentRead(**vars(act)) for act in acts])
                for brief, (_case, acts) in zip(briefs, one.cases, strict=True)
            ],
            accesses=[
                AccessExport(
                    at=seen.at,
                    case_id=seen.case_id,
                    actor_kind=seen.actor_kind,
                    department_id=seen.department_id,
                    department=one.departments.get(seen.department_id),
                    what=seen.what,
                )
                for seen in one.accesses
            ],
        )
