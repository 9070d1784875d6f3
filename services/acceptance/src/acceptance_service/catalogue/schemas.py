"""HTTP shapes of the catalogue."""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field

from acceptance_service.catalogue.definitions import ItemDefinition
from acceptance_service.catalogue.domain import EntryKind, EntryState, ImportKind
from acceptance_service.catalogue.handlers.imports import ImportProgress
from acceptance_service.catalogue.models import (
    Bundle,
    CatalogueEntry,
    CatalogueReview,
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

_STATES = {
    EntryState.DRAFT: "草稿",
    EntryState.IN_REVIEW: "待复核",
    EntryState.APPROVED: "已复核",
    EntryState.PUBLISHED: "已发布",
    EntryState.RETIRED: "已停用",
}


class ItemSummary(BaseModel):
    """A published item in a list."""

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

    model_config = ConfigDict(from_attributes=True)

    code: str
    entry_version: int
    state: EntryState
    published_at: datetime | None
    retired_at: datetime | None


class EntryRead(VersionRead):
    """A version as operators see it, with the compiled elements that a reviewer answers for."""

    kind: EntryKind
    state_label: str
    import_id: UUID
    line: int
    brought_in_by: str
    submitted_by: str | None
    review_required: list[str] = Field(
        description="JSON pointers of what was compiled, not taken from a source."
    )
    definition: dict[str, Any]

    @classmethod
    def of(cls, kind: EntryKind, row: CatalogueEntry) -> "EntryRead":
        return cls(
            kind=kind,
            code=row.code,
            entry_version=row.entry_version,
            state=row.state,
            state_label=_STATES[row.state],
            published_at=row.published_at,
            retired_at=row.retired_at,
            import_id=row.import_id,
            line=row.line,
            brought_in_by=row.brought_in_by,
            submitted_by=row.submitted_by,
            review_required=row.compiled_elements,
            definition=row.definition,
        )


class EntrySummary(BaseModel):
    """A version in an operator's list."""

    kind: EntryKind
    code: str
    entry_version: int
    state: EntryState
    state_label: str
    import_id: UUID
    brought_in_by: str
    compiled_count: int

    @classmethod
    def of(cls, kind: EntryKind, row: CatalogueEntry) -> "EntrySummary":
        return cls(
            kind=kind,
            code=row.code,
            entry_version=row.entry_version,
            state=row.state,
            state_label=_STATES[row.state],
            import_id=row.import_id,
            brought_in_by=row.brought_in_by,
            compiled_count=len(row.compiled_elements),
        )


class ReviewRead(BaseModel):
    """Who reviewed a version, and what they answered for."""

    model_config = ConfigDict(from_attributes=True)

    action: str
    reviewed_by: str
    reviewed_at: datetime
    note: str | None
    compiled_elements: list[str]

    @classmethod
    def of(cls, row: CatalogueReview) -> "ReviewRead":
        return cls.model_validate(row)


class ImportRead(BaseModel):
    """An import, and how many of its versions are in which state."""

    id: UUID
    kind: ImportKind
    imported_by: str
    imported_at: datetime
    rows_total: int
    rows_new: int
    rows_unchanged: int
    states: dict[EntryState, int]

    @classmethod
    def of(cls, progress: ImportProgress) -> "ImportRead":
        row = progress.row
        return cls(
            id=row.id,
            kind=row.kind,
            imported_by=row.imported_by,
            imported_at=row.imported_at,
            rows_total=row.rows_total,
            rows_new=row.rows_new,
            rows_unchanged=progress.rows_unchanged,
            states=dict(progress.states),
        )


class ImportSummary(BaseModel):
    """An import in a list."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    kind: ImportKind
    imported_by: str
    imported_at: datetime
    rows_total: int
    rows_new: int


class DecisionNote(BaseModel):
    """Why; needed when something is sent back, by convention."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"note": "情形问题已对照指南核对"}]}
    )

    note: str | None = Field(default=None, max_length=1000)
