"""HTTP shapes of showing and checking."""

from datetime import date, datetime
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from certificates_service.licences.domain import STATUS_LABELS
from certificates_service.licences.handlers.read import is_valid_at, status_at
from certificates_service.licences.schemas import EXAMPLE_IDENTIFIER, EXAMPLE_ISSUER, IssuerRead
from certificates_service.presentation.handlers import Checked, CheckedDocument, Shown
from service_common.contracts.certificates import LicenceStatus

_EXAMPLE_CODE = "lianban-licence:3q2-7wJr0Zt5kqkX0cVbYF5n0m1lT9d8Hs6u4Pp2AxE"


class ShownRead(BaseModel):
    """A code to hold up."""

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {"code": _EXAMPLE_CODE, "qr_svg": "<svg>…</svg>", "expires_at": "2026-11-23T02:01:00Z"}
            ]
        },
    )

    code: str = Field(description="What the QR code says: a random one-time token, nothing personal.")
    qr_svg: str = Field(description="The code as an inline SVG picture.")
    expires_at: datetime

    @classmethod
    def of(cls, shown: Shown) -> "ShownRead":
        return cls.model_validate(shown)


class LicenceToCheck(BaseModel):
    """What was scanned or typed: a shown code, or the identifier printed on a licence."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [
                {"code": _EXAMPLE_CODE},
                {"identifier": EXAMPLE_IDENTIFIER},
            ]
        },
    )

    code: str | None = Field(default=None, min_length=1, max_length=200)
    identifier: str | None = Field(default=None, min_length=1, max_length=140)

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.code is None) == (self.identifier is None):
            raise ValueError("send either `code` or `identifier`")
        return self


class CheckedRead(BaseModel):
    """A licence as it stands at this moment."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "valid": False,
                    "status": "REVOKED",
                    "status_label": "撤销",
                    "checked_at": "2026-11-23T02:00:00Z",
                    "identifier": EXAMPLE_IDENTIFIER,
                    "type_code": "11990000LB0000230M001",
                    "type_name": "营业执照",
                    "issuer": EXAMPLE_ISSUER,
                    "valid_from": "2026-11-23",
                    "valid_until": None,
                    "surface": {"名称": "试验田便利店有限公司", "法定代表人": "王**"},
                }
            ]
        }
    )

    valid: bool = Field(description="Whether it can be relied on now.")
    status: LicenceStatus
    status_label: str
    checked_at: datetime
    identifier: str
    type_code: str
    type_name: str
    issuer: IssuerRead
    valid_from: date
    valid_until: date | None = None
    surface: dict[str, str] = Field(description="Personal values are masked.")

    @classmethod
    def of(cls, checked: Checked, now: datetime) -> "CheckedRead":
        licence = checked.licence
        status = status_at(licence, now)
        return cls(
            valid=is_valid_at(licence, now),
            status=status,
            status_label=STATUS_LABELS[status],
            checked_at=now,
            identifier=licence.identifier,
            type_code=licence.type_code,
            type_name=licence.type_name,
            issuer=IssuerRead(
                department_id=licence.issuer_department_id, uscc=licence.issuer_uscc, name=licence.issuer_name
            ),
            valid_from=licence.valid_from,
            valid_until=licence.valid_until,
            surface=checked.surface,
        )


class PublicAnswer(BaseModel):
    """Yes or no, and nothing else."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"valid": False, "message": "证照无效。", "checked_at": "2026-11-23T02:00:00Z"}]
        }
    )

    valid: bool
    message: str
    checked_at: datetime

    @classmethod
    def of(cls, *, valid: bool, now: datetime) -> "PublicAnswer":
        message = "证照有效。" if valid else "无法确认有效：亮证码或证照标识无效、已过期或已被使用。"
        return cls(valid=valid, message=message, checked_at=now)


class DocumentToCheck(BaseModel):
    """A signed licence document, whole or with disclosures left out."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={
            "examples": [{"document": "eyJhbGciOiJFUzI1NiJ9.e30.c2ln~WyJzYWx0Iiwi5ZCN56ewIiwi54mIIl0~"}]
        },
    )

    document: str = Field(min_length=1, max_length=300_000)


class CheckedDocumentRead(BaseModel):
    """Whether a document is ours, and its licence holds."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"authentic": True, "valid": True, "checked_at": "2026-11-23T02:00:00Z"}]
        }
    )

    authentic: bool = Field(description="All of it was signed by this library.")
    valid: bool = Field(description="Authentic, and the licence holds at this moment.")
    checked_at: datetime

    @classmethod
    def of(cls, checked: CheckedDocument, now: datetime) -> "CheckedDocumentRead":
        return cls(authentic=checked.authentic, valid=checked.valid, checked_at=now)
