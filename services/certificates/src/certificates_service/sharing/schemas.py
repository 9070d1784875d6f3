"""HTTP shapes of sharing."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from certificates_service.licences.handlers.read import status_at
from certificates_service.licences.schemas import EXAMPLE_ID, EXAMPLE_IDENTIFIER
from certificates_service.sharing.handlers import Fetched
from certificates_service.uses.domain import FETCH_PURPOSES, Purpose
from service_common.contracts.certificates import LicenceStatus


def _for_fetching(purpose: Purpose) -> Purpose:
    if purpose not in FETCH_PURPOSES:
        raise ValueError(f"one of {', '.join(sorted(FETCH_PURPOSES))}")
    return purpose


class FetchRequest(BaseModel):
    """Which data, and what for."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {
                    "purpose_code": "PREFILL",
                    "case_or_application_id": "0197a5b0-2222-7c11-8a44-3f6a2b1c9d10",
                    "fields": ["名称", "住所"],
                }
            ]
        },
    )

    purpose_code: Annotated[Purpose, AfterValidator(_for_fetching)] = Field(
        description="`PREFILL`, `MATERIAL_WAIVER`, `REVIEW` or `INSTANT_APPROVAL`; each brings its legal basis."
    )
    case_or_application_id: UUID = Field(description="For which the holder has come to the government.")
    fields: list[Annotated[str, Field(max_length=60)]] | None = Field(
        default=None,
        min_length=1,
        max_length=100,
        description="Least data: name them. None: the whole surface.",
    )


class FetchedRead(BaseModel):
    """The data, and on what ground it was handed out."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "licence_id": EXAMPLE_ID,
                    "identifier": EXAMPLE_IDENTIFIER,
                    "type_code": "11990000LB0000230M001",
                    "type_name": "营业执照",
                    "status": "NORMAL",
                    "surface": {"名称": "试验田便利店有限公司", "住所": "示例市示范区谷雨路1号"},
                    "legal_basis": "政务数据共享条例（国令第809号）",
                    "fetched_at": "2026-11-23T02:00:00Z",
                }
            ]
        }
    )

    licence_id: UUID
    identifier: str
    type_code: str
    type_name: str
    status: LicenceStatus
    surface: dict[str, str]
    legal_basis: str
    fetched_at: datetime

    @classmethod
    def of(cls, fetched: Fetched, now: datetime) -> "FetchedRead":
        licence = fetched.licence
        return cls(
            licence_id=licence.id,
            identifier=licence.identifier,
            type_code=licence.type_code,
            type_name=licence.type_name,
            status=status_at(licence, now),
            surface=fetched.surface,
            legal_basis=fetched.legal_basis,
            fetched_at=now,
        )
