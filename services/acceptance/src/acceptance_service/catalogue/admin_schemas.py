"""HTTP shapes of the catalogue's administration."""

from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from acceptance_service.catalogue.domain import EntryKind, EntryState, ImportKind
from acceptance_service.catalogue.handlers.imports import ImportProgress
from acceptance_service.catalogue.models import CatalogueEntry, CatalogueReview
from acceptance_service.catalogue.schemas import VersionRead

_STATES = {
    EntryState.DRAFT: "草稿",
    EntryState.IN_REVIEW: "待复核",
    EntryState.APPROVED: "已复核",
    EntryState.PUBLISHED: "已发布",
    EntryState.RETIRED: "已停用",
}


class EntryRead(VersionRead):
    """A version as operators see it, with the compiled elements that a reviewer answers for."""

    model_config = ConfigDict(from_attributes=True, json_schema_extra=None)

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

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "bundles",
                    "code": "43TCP0018",
                    "entry_version": 2,
                    "state": "IN_REVIEW",
                    "state_label": "待复核",
                    "import_id": "0199b0a0-0000-7000-8000-000000000001",
                    "brought_in_by": "staff:0199b0a0-0000-7000-8000-000000000002",
                    "compiled_count": 57,
                }
            ]
        }
    )

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

    model_config = ConfigDict(
        from_attributes=True,
        json_schema_extra={
            "examples": [
                {
                    "action": "approve",
                    "reviewed_by": "staff:0199b0a0-0000-7000-8000-000000000003",
                    "reviewed_at": "2026-11-22T01:00:00Z",
                    "note": "情形问题已对照指南核对",
                    "compiled_elements": ["/scenario/questions/0"],
                }
            ]
        },
    )

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

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "id": "0199b0a0-0000-7000-8000-000000000001",
                    "kind": "items",
                    "imported_by": "staff:0199b0a0-0000-7000-8000-000000000002",
                    "imported_at": "2026-11-22T01:00:00Z",
                    "rows_total": 1135,
                    "rows_new": 1135,
                    "rows_unchanged": 0,
                    "states": {"IN_REVIEW": 1135},
                }
            ]
        }
    )

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
