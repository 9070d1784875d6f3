"""HTTP shapes of progress without login."""

from datetime import date, datetime

from pydantic import BaseModel, ConfigDict, Field

from acceptance_service.cases.domain.states import CaseStatus


class ProgressBody(BaseModel):
    """The two numbers on the receipt."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"query_number": "2607010123453", "query_password": "234765"}]},
    )

    query_number: str = Field(max_length=30)
    query_password: str = Field(pattern=r"^\d{6}$")


class ProgressCase(BaseModel):
    """One case, in the fewest facts."""

    item_name: str
    status: CaseStatus
    status_label: str
    promised_due_on: date | None


class ProgressRead(BaseModel):
    """How far an application is."""

    title: str
    number: str | None
    status_label: str
    submitted_at: datetime | None
    cases: list[ProgressCase]
