"""HTTP shapes of licences."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Row

from certificates_service.licences.domain import (
    MOST_IN_A_BATCH,
    STATUS_LABELS,
    Action,
    Content,
    Order,
    Reason,
)
from certificates_service.licences.handlers.change import Decision
from certificates_service.licences.handlers.read import SeenLicence, is_valid_at, status_at
from certificates_service.licences.models import Licence
from service_common import timeline
from service_common.contracts.acceptance import HolderKind
from service_common.contracts.certificates import LicenceStatus

Surface = Annotated[
    dict[str, str],
    Field(
        max_length=100,
        description="Fields by the type's keys. What the library knows itself may be left out.",
    ),
]
Day = Annotated[date, Field(ge=date(1900, 1, 1), le=date(2200, 12, 31))]
Number = Annotated[
    str,
    Field(min_length=1, max_length=60, description="Printed number 证照编号; none: the serial is printed."),
]
ProjectNo = Annotated[str, Field(min_length=1, max_length=50, description="Number of the case 办件编号.")]

EXAMPLE_ID = "0197a5b0-5d2e-7c11-8a44-3f6a2b1c9d10"
EXAMPLE_IDENTIFIER = "1.2.156.3005.2.11990000LB0000230M001.11990000LB0000230M.7Q2K0B5ZR81XWM3NC6TD.001.W"
EXAMPLE_SURFACE: dict[str, Any] = {
    "统一社会信用代码": "91990101MA0000A19H",
    "名称": "试验田便利店有限公司",
    "法定代表人": "王小麦",
}
_EXAMPLE_HOLDER: dict[str, Any] = {"kind": "LEGAL_PERSON", "id": "0197a5b0-1111-7c11-8a44-3f6a2b1c9d10"}
_EXAMPLE_CONTENT: dict[str, Any] = {
    "surface": EXAMPLE_SURFACE,
    "valid_from": "2026-11-23",
    "valid_until": None,
}
_EXAMPLE_ORDER: dict[str, Any] = {
    "type_code": "11990000LB0000230M001",
    "holder": _EXAMPLE_HOLDER,
    "case_id": "0197a5b0-2222-7c11-8a44-3f6a2b1c9d10",
    "issuer_department_id": "0197a5b0-3333-7c11-8a44-3f6a2b1c9d10",
    **_EXAMPLE_CONTENT,
    "project_no": None,
}


EXAMPLE_ISSUER: dict[str, Any] = {
    "department_id": "0197a5b0-3333-7c11-8a44-3f6a2b1c9d10",
    "uscc": "11990000LB0000230M",
    "name": "示例市市场监督管理局",
}
EXAMPLE_LICENCE: dict[str, Any] = {
    "id": EXAMPLE_ID,
    "identifier": EXAMPLE_IDENTIFIER,
    "type_code": "11990000LB0000230M001",
    "type_name": "营业执照",
    "licence_version": 1,
    "status": "NORMAL",
    "status_label": "正常",
    "valid": True,
    "valid_from": "2026-11-23",
    "valid_until": None,
    "holder": _EXAMPLE_HOLDER,
    "issuer": EXAMPLE_ISSUER,
    "issued_at": "2026-11-23T02:00:00Z",
    "case_id": "0197a5b0-2222-7c11-8a44-3f6a2b1c9d10",
    "project_no": None,
    "predecessor_identifier": None,
    "successor_identifier": None,
    "version": 1,
}


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class HolderBody(_Body):
    """Who will hold it 持证主体."""

    kind: HolderKind
    id: UUID


class LicenceContent(_Body):
    """What a new version says."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE_CONTENT]})

    surface: Surface
    valid_from: Day = Field(description="First day, in Asia/Shanghai.")
    valid_until: Day | None = Field(default=None, description="Last day; none: by the type's rule.")
    number: Number | None = None
    case_id: UUID | None = Field(default=None, description="The case that granted it: one licence per case.")
    project_no: ProjectNo | None = None

    @property
    def content(self) -> Content:
        return Content(self.surface, self.valid_from, self.valid_until, self.number)


class LicenceOrder(LicenceContent):
    """A licence to be issued."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE_ORDER]})

    type_code: str = Field(min_length=21, max_length=21)
    holder: HolderBody
    issuer_department_id: UUID

    @property
    def order(self) -> Order:
        return Order(
            type_code=self.type_code,
            holder_kind=self.holder.kind,
            holder_id=self.holder.id,
            issuer_department_id=self.issuer_department_id,
            content=self.content,
            case_id=self.case_id,
            project_no=self.project_no,
        )


class LicenceBatch(_Body):
    """Initial stock: all rows or none."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"licences": [_EXAMPLE_ORDER]}]})

    licences: list[LicenceOrder] = Field(min_length=1, max_length=MOST_IN_A_BATCH)


class StatusChange(_Body):
    """Why the status changes."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"reason": "OBTAINED_BY_DECEIT", "document_no": "示市监撤〔2026〕1号"}]
        }
    )

    reason: Reason = Field(description="Each reason carries one action, and brings its article of law.")
    legal_basis: str | None = Field(
        default=None,
        min_length=4,
        max_length=200,
        description="Law and article; needed where the reason names none.",
    )
    document_no: str | None = Field(
        default=None, min_length=1, max_length=60, description="Number of the written decision 文书编号."
    )

    def decision(self, action: Action) -> Decision:
        return Decision(action, self.reason, self.legal_basis, self.document_no)


class HolderRead(BaseModel):
    """持证主体."""

    kind: HolderKind
    id: UUID


class IssuerRead(BaseModel):
    """颁发机构, as it was called at issue."""

    department_id: UUID
    uscc: str
    name: str


class LicenceRead(BaseModel):
    """A licence without its surface. Field names after GB/T 36902."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE_LICENCE]})

    id: UUID
    identifier: str = Field(description="GB/T 36904 电子证照标识.", examples=[EXAMPLE_IDENTIFIER])
    type_code: str
    type_name: str
    licence_version: int
    status: LicenceStatus = Field(description="At this moment: the end of validity counts at once.")
    status_label: str
    valid: bool = Field(description="Whether it can be relied on now.")
    valid_from: date
    valid_until: date | None = Field(default=None, description="Last day; null: 长期.")
    holder: HolderRead
    issuer: IssuerRead
    issued_at: datetime
    case_id: UUID | None = None
    project_no: str | None = None
    predecessor_identifier: str | None = Field(default=None, description="关联证照标识: the version before.")
    successor_identifier: str | None = Field(default=None, description="The version that took its place.")
    version: int = Field(description="Of this record: the value of its ETag.")

    @classmethod
    def values(cls, one: Licence, now: datetime) -> dict[str, Any]:
        status = status_at(one, now)
        return {
            "id": one.id,
            "identifier": one.identifier,
            "type_code": one.type_code,
            "type_name": one.type_name,
            "licence_version": one.licence_version,
            "status": status,
            "status_label": STATUS_LABELS[status],
            "valid": is_valid_at(one, now),
            "valid_from": one.valid_from,
            "valid_until": one.valid_until,
            "holder": HolderRead(kind=one.holder_kind, id=one.holder_id),
            "issuer": IssuerRead(
                department_id=one.issuer_department_id, uscc=one.issuer_uscc, name=one.issuer_name
            ),
            "issued_at": one.issued_at,
            "case_id": one.case_id,
            "project_no": one.project_no,
            "predecessor_identifier": one.predecessor_identifier,
            "successor_identifier": one.successor_identifier,
            "version": one.version,
        }

    @classmethod
    def of(cls, one: Licence, now: datetime) -> "LicenceRead":
        return cls(**cls.values(one, now))


class LicenceDetail(LicenceRead):
    """A licence with its surface 照面."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{**EXAMPLE_LICENCE, "surface": EXAMPLE_SURFACE, "masked": False}]}
    )

    surface: dict[str, str]
    masked: bool = Field(description="Whether personal values are masked for this reader.")

    @classmethod
    def seen(cls, seen: SeenLicence, now: datetime) -> "LicenceDetail":
        return cls(**cls.values(seen.licence, now), surface=seen.surface, masked=seen.masked)


class BatchRead(BaseModel):
    """The licences of a batch, in the order of its rows."""

    licences: list[LicenceRead]


class DocumentRead(BaseModel):
    """The signed document."""

    document: str = Field(
        description="SD-JWT (RFC 9901), ES256: leave out disclosures to show less. Keys: `/certificates/v1/keys`."
    )


class HistoryEntryRead(BaseModel):
    """One entry of the history."""

    sequence: int
    at: datetime
    action: str
    actor_kind: str
    facts: dict[str, Any]
    hash: str


class HistoryRead(BaseModel):
    """The history of a licence, and whether its chain of hashes holds."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "entries": [
                        {
                            "sequence": 1,
                            "at": "2026-11-23T02:00:00Z",
                            "action": "issue",
                            "actor_kind": "client",
                            "facts": {"identifier": EXAMPLE_IDENTIFIER},
                            "hash": "5feceb66ffc86f38d952786c6d696c79c2dbc239dd4e91b46729d73a27fb57e9",
                        }
                    ],
                    "intact": True,
                }
            ]
        }
    )

    entries: list[HistoryEntryRead]
    intact: bool

    @classmethod
    def of(cls, rows: Sequence[Row[Any]]) -> "HistoryRead":
        entries = [
            HistoryEntryRead(
                sequence=row.sequence,
                at=row.at,
                action=row.action,
                actor_kind=row.actor_kind,
                facts=row.facts,
                hash=row.hash.hex(),
            )
            for row in rows
        ]
        return cls(entries=entries, intact=timeline.verify(rows))
