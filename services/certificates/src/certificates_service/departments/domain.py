"""Departments as issuers and verifiers of licences. Pure."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True)
class DepartmentState:
    """The whole state of a department at one revision, from an event or from identity's snapshot."""

    id: UUID
    uscc: str
    name: str
    division: str
    active: bool
    revision: int
