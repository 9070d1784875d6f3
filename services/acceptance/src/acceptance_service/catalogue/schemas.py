"""HTTP shapes of the catalogue."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

from acceptance_service.catalogue.definitions import ItemDefinition
from acceptance_service.catalogue.domain import EntryState
from acceptance_service.catalogue.models import (
    Bundle,
    ServiceItem,
    Theme,
)

ItemCodePath = Annotated[str, Path(pattern=r"^[A-Z0-9-]{4,60}$", examples=["HN-430300-000131024000-01"])]
BundleCodePath = Annotated[str, Path(pattern=r"^[A-Z0-9]{4,20}$", examples=["43TCP0018"])]
EntryCodePath = Annotated[str, Path(pattern=r"^[A-Za-z0-9-]{4,60}$", examples=["43TCP0018"])]
VersionPath = Annotated[int, Path(ge=1, le=1_000_000, examples=[1])]

_ITEM_TYPES = {
    "01": "行政许可",
    "05": "行政给付",
    "07": "行政确认",
    "08": "行政奖励",
    "09": "行政裁决",
    "10": "其他行政权力",
    "20": "公共服务",
}


class ItemSummary(BaseModel):
    """A published item in a list."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "code": "HN-430300-000131024000-01",
                    "item_version": 1,
                    "name": "《食品经营许可证》新办",
                    "item_type": "01",
                    "item_type_label": "行政许可",
                    "division": "430300000000",
                    "department_id": "0199b0a0-0000-7000-8000-000000000001",
                    "department_name": "湘潭市市场监督管理局",
                    "applicant_kinds": ["NATURAL_PERSON", "LEGAL_PERSON"],
                    "guide": "guide",
                }
            ]
        }
    )

    code: str
    item_version: int
    name: str
    item_type: str | None
    item_type_label: str | None
    division: str
    department_id: UUID | None
    department_name: str | None
    applicant_kinds: list[str]
    guide: str = Field(description="`guide`: a full guide; `link_only`: what it needs is lacking.")

    @classmethod
    def of(cls, row: ServiceItem, department_name: str | None) -> "ItemSummary":
        return cls(
            code=row.code,
            item_version=row.entry_version,
            name=row.name,
            item_type=row.item_type,
            item_type_label=_ITEM_TYPES.get(row.item_type or ""),
            division=row.division,
            department_id=row.department_id,
            department_name=department_name,
            applicant_kinds=row.applicant_kinds,
            guide=row.completeness,
        )


# Elements of a guide (standards of the implementation list) that a reader misses when the source has none.
_ELEMENTS = (
    "statutory_limit",
    "promised_limit",
    "conditions",
    "materials",
    "form_fields",
    "legal_basis",
    "visits",
    "channels",
    "charged",
    "result",
    "service_objects",
)


class ItemRead(ItemSummary):
    """A published item with its whole definition; ``lacking`` names the elements that the catalogue has not."""

    model_config = ConfigDict(from_attributes=True, json_schema_extra=None)

    published_at: datetime | None
    definition: dict[str, Any]
    lacking: list[str]

    @classmethod
    def read(cls, row: ServiceItem, department_name: str | None) -> "ItemRead":
        definition = ItemDefinition.model_validate(row.definition)
        return cls(
            **ItemSummary.of(row, department_name).model_dump(),
            published_at=row.published_at,
            definition=row.definition,
            lacking=[name for name in _ELEMENTS if getattr(definition, name) is None],
        )


class BundleSummary(BaseModel):
    """A published bundle in a list."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "code": "43TCP0018",
                    "bundle_version": 1,
                    "title": "开办超市、便利店“一件事”",
                    "division": "430300000000",
                    "offered_in": ["430300000000", "430304000000"],
                    "lead_department_id": "0199b0a0-0000-7000-8000-000000000001",
                    "lead_department_name": "湘潭市市场监督管理局",
                    "item_codes": ["HN-430300-43TCP0018-05"],
                }
            ]
        }
    )

    code: str
    bundle_version: int
    title: str
    division: str
    offered_in: list[str]
    lead_department_id: UUID | None
    lead_department_name: str | None
    item_codes: list[str]

    @classmethod
    def of(cls, row: Bundle, department_name: str | None) -> "BundleSummary":
        return cls(
            code=row.code,
            bundle_version=row.entry_version,
            title=row.title,
            division=row.division,
            offered_in=row.offered_in,
            lead_department_id=row.lead_department_id,
            lead_department_name=department_name,
            item_codes=row.item_codes,
        )


class BundleRead(BundleSummary):
    """A published bundle with its whole definition."""

    model_config = ConfigDict(from_attributes=True, json_schema_extra=None)

    published_at: datetime | None
    definition: dict[str, Any]

    @classmethod
    def read(cls, row: Bundle, department_name: str | None) -> "BundleRead":
        return cls(
            **BundleSummary.of(row, department_name).model_dump(),
            published_at=row.published_at,
            definition=row.definition,
        )


class ThemeRead(BaseModel):
    """A theme of the source. ``guide: none``: only its title is known, nothing was made up for it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "code": "43PCN0009",
                    "title": "新生儿出生一件事",
                    "region_guides": 145,
                    "distinct_versions": 12,
                    "guide": "none",
                    "guide_label": "办事指南尚未收录",
                    "bundle_version": None,
                }
            ]
        }
    )

    code: str
    title: str
    region_guides: int
    distinct_versions: int
    guide: str
    guide_label: str
    bundle_version: int | None

    @classmethod
    def of(cls, theme: Theme, bundle_version: int | None) -> "ThemeRead":
        guide = "none" if bundle_version is None else "bundle"
        return cls(
            code=theme.code,
            title=theme.title,
            region_guides=theme.region_guides,
            distinct_versions=theme.distinct_versions,
            guide=guide,
            guide_label="办事指南尚未收录" if guide == "none" else "可在线办理",
            bundle_version=bundle_version,
        )


class VersionRead(BaseModel):
    """A version in the life of an entry."""

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "code": "43TCP0018",
                    "entry_version": 1,
                    "state": "PUBLISHED",
                    "published_at": "2026-11-22T01:00:00Z",
                    "retired_at": None,
                }
            ]
        },
    )

    code: str
    entry_version: int
    state: EntryState
    published_at: datetime | None
    retired_at: datetime | None
