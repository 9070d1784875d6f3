"""Departments as the catalogue refers to them. Pure."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class CodedDepartment:
    """A row of the catalogue's list of departments: the code that items use, and the USCC behind it."""

    code: str
    uscc: str
    name: str
    kind: str | None
    division: str


@dataclass(frozen=True, slots=True)
class KnownDepartment:
    """A department that the catalogue refers to and identity knows."""

    department_id: UUID
    uscc: str
    name: str
    division: str
    active: bool


def kind_of(code: str) -> str | None:
    """The kind at the end of a department code: ``SCJG`` of ``HN-430300-SCJG``; numbers there are only serials."""
    last = code.rsplit("-", 1)[-1]
    return last if "-" in code and last.isalpha() else None
