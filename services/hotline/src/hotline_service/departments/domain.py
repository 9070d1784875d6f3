"""Departments as the hotline sends tickets to them. Pure."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class KnownDepartment:
    """A department and the division it serves (area code of 12 digits)."""

    id: UUID
    name: str
    short_name: str
    division: str
    active: bool = True
