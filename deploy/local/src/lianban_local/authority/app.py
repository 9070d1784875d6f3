"""The HTTP face of the register, in place of the authorities that identity asks through its adapter.

Personal data comes in bodies, never in a path or query: those end up in logs.
"""

import uuid
from datetime import date
from typing import Annotated, Literal

from fastapi import FastAPI
from pydantic import Base64Bytes, BaseModel, ConfigDict, Field

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


class DocumentCheck(BaseModel):
    model_config = ConfigDict(extra="forbid")

    kind: Annotated[str, Field(max_length=40)]
    country: Annotated[str, Field(pattern=r"^[A-Z]{3}$")]
    number: Annotated[str, Field(pattern=r"^[0-9A-Z]{5,20}$")]
    name: Name
    birth_date: date


class FaceCheck(PersonCheck):
    picture: Annotated[Base64Bytes, Field(max_length=2_000_000)]


class NetworkIdentityCheck(BaseModel):
    model_config = ConfigDict(extra="forbid")

    credential: Annotated[str, Field(pattern=r"^[0-9A-Z]{10,100}$")]
    id_number: IdNumber


class GuardianCheck(BaseModel):
    model_config = ConfigDict(extra="forbid")

    guardian_id_number: IdNumber
    child_id_number: IdNumber


class ReferencedAnswer(PersonAnswer):
    """With the number under which the authority keeps what it was asked, and how sure it is of a face."""

    reference: str
    score: float | None = None


def _reference() -> str:
    return f"REG-{uuid.uuid4().hex[:20].upper()}"


@app.post("/v1/document-checks")
def check_document(check: DocumentCheck) -> ReferencedAnswer:
    """Does this travel document belong to this name and birth date?"""
    result = register.check_document(
        check.kind, check.country, check.number, check.name, check.birth_date.isoformat()
    )
    return ReferencedAnswer(result=result, reference=_reference())


@app.post("/v1/face-checks")
def check_face(check: FaceCheck) -> ReferencedAnswer:
    """Is this the face of the person with this name and number?"""
    result, score = register.check_face(check.name, check.id_number, check.picture)
    return ReferencedAnswer(result=result, reference=_reference(), score=score)


@app.post("/v1/network-identity-checks")
def check_network_identity(check: NetworkIdentityCheck) -> ReferencedAnswer:
    """Is this network credential 网证 that person's?"""
    result = register.check_network_credential(check.credential, check.id_number)
    return ReferencedAnswer(result=result, reference=_reference())


@app.post("/v1/guardian-checks")
def check_guardian(check: GuardianCheck) -> ReferencedAnswer:
    """Is one the guardian of the other?"""
    result = register.check_guardian(check.guardian_id_number, check.child_id_number)
    return ReferencedAnswer(result=result, reference=_reference())


@app.get("/health/live")
def live() -> dict[str, str]:
    """The process answers."""
    return {"status": "live"}
