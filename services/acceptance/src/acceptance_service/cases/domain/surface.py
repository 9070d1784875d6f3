"""What stands on the licence that a decision issues. Pure.

Source: data/catalogue/schema/rules.md, "Licence surface".
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class SurfaceSources:
    """Where surface values come from. Number and dates of the licence itself are the licence library's to fill."""

    form: Mapping[str, Any]
    applicant_name: str | None
    applicant_number: str | None
    department_name: str | None


def fill_surface(fields: Iterable[tuple[str, str | None]], sources: SurfaceSources) -> dict[str, str]:
    """Values for the fields whose source is known here; nothing is invented for the others."""
    filled = {}
    for key, source in fields:
        value = _value(source or "", sources)
        if value not in (None, "", []):
            filled[key] = "、".join(map(str, value)) if isinstance(value, list) else str(value)
    return filled


def _value(source: str, sources: SurfaceSources) -> Any:
    match source.split(".", 1):
        case ["applicant", "name"]:
            return sources.applicant_name
        case ["applicant", "number"]:
            return sources.applicant_number
        case ["department", "name"]:
            return sources.department_name
        case ["form", field]:
            return sources.form.get(field)
        case _:
            return None
