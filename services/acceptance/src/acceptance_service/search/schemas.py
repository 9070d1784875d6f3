"""HTTP shapes of the search."""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from acceptance_service.search.domain import LONGEST_TEXT, EntryKind
from acceptance_service.search.repository import Found

_LABELS = {EntryKind.BUNDLE: "一件事", EntryKind.ITEM: "事项", EntryKind.THEME: "一件事（办事指南尚未收录）"}


class SearchRequest(BaseModel):
    """What somebody looks for, in their own words."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"text": "开小卖部", "division": "430304000000", "limit": 10}]},
    )

    text: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_TEXT)]
    division: Annotated[str, StringConstraints(pattern=r"^[0-9]{6}([0-9]{3}){0,2}$")] | None = Field(
        default=None, description="What it and the divisions above it offer; without one: anywhere."
    )
    applicant_kind: Annotated[str, StringConstraints(pattern=r"^(NATURAL_PERSON|LEGAL_PERSON)$")] | None = (
        None
    )
    limit: Annotated[int, Field(ge=1, le=50)] = 10
    cursor: Annotated[str, StringConstraints(max_length=500)] | None = None


class FoundRead(BaseModel):
    """One result. ``guide`` false: only its title is known."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "kind": "BUNDLE",
                    "kind_label": "一件事",
                    "code": "43TCP0018",
                    "entry_version": 1,
                    "title": "开办超市、便利店“一件事”",
                    "division": "430304000000",
                    "department_id": "0199b0a0-0000-7000-8000-000000000001",
                    "department_name": "湘潭市市场监督管理局",
                    "guide": True,
                }
            ]
        }
    )

    kind: EntryKind
    kind_label: str
    code: str
    entry_version: int | None
    title: str
    division: str
    department_id: UUID | None
    department_name: str | None
    guide: bool

    @classmethod
    def of(cls, found: Found, department_name: str | None) -> "FoundRead":
        return cls(
            kind=found.kind,
            kind_label=_LABELS[found.kind],
            code=found.code,
            entry_version=found.entry_version,
            title=found.title,
            division=found.division,
            department_id=found.department_id,
            department_name=department_name,
            guide=found.has_guide,
        )


class SearchResults(BaseModel):
    """A page of results, best first; ``next_cursor`` goes into the next request with the same text."""

    items: list[FoundRead]
    next_cursor: str | None
