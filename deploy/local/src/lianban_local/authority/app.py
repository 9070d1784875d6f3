"""The HTTP face of the register, in place of the authorities that identity asks through its adapter.

Personal data comes in bodies, never in a path or query: those end up in logs.
"""

from typing import Annotated, Literal

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field

from lianban_local.authority import register
from lianban_local.authority.register import Result

app = FastAPI(title="Authority register (demo population)", docs_url=None, redoc_url=None)

Name = Annotated[str, Field(min_length=1, max_length=200)]
IdNumber = Annotated[str, Field(pattern=r"^\d{17}[\dXx]$")]


class PersonCheck(BaseModel):
    model_config = ConfigDict(extra="forbid")

    name: Name
    id_number: IdNumber


class PersonAnswer(BaseModel):
    result: Result


class LegalPersonCheck(BaseModel):
    model_config = ConfigDict(extra="forbid")

    uscc: Annotated[str, Field(pattern=r"^[0-9A-Za-z]{18}$")]
    name: Name
    representative_id_number: IdNumber | None = None


class RegisterEntry(BaseModel):
    """What is public about a company."""

    kind: Literal["limited_company", "sole_trader"]
    address: str
    scope: str
    status: Literal["active", "revoked"]


class LegalPersonAnswer(BaseModel):
    result: Result
    entry: RegisterEntry | None = None


@app.post("/v1/person-checks")
def check_person(check: PersonCheck) -> PersonAnswer:
    """Does this identity number belong to this name?"""
    return PersonAnswer(result=register.check_person(check.name, check.id_number))


@app.post("/v1/legal-person-checks", response_model_exclude_none=True)
def check_legal_person(check: LegalPersonCheck) -> LegalPersonAnswer:
    """Does this credit code belong to this name, and to this representative if one is named?"""
    number = check.representative_id_number
    result, found = register.check_legal_person(check.uscc, check.name, number.upper() if number else None)
    if found is None:
        return LegalPersonAnswer(result=result)
    entry = RegisterEntry(kind=found.kind, address=found.address, scope=found.scope, status=found.status)
    return LegalPersonAnswer(result=result, entry=entry)


@app.get("/health/live")
def live() -> dict[str, str]:
    """The process answers."""
    return {"status": "live"}
