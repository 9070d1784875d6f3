"""The documents of the catalogue: reference lists, as they come in their files."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field, StringConstraints, field_validator, model_validator

from acceptance_service.catalogue.bundle_definition import ServicePoint
from acceptance_service.catalogue.definitions import (
    BundleCode,
    Document,
    Origin,
    ShortTitle,
    Text,
    Title,
    check_division,
    check_unique,
)
from acceptance_service.search.domain import normalise
from gov_rules.errors import InvalidIdentifier
from gov_rules.identifiers.credit_code import parse_credit_code

# More than there are divisions.
_MOST_GUIDES = 1_000_000
_LONGEST_WORD = 40


class DepartmentRow(Document):
    """A department that items refer to by code; ``is_official`` tells a real USCC from one made up for a demonstration."""

    code: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}-[0-9]{6}-[A-Z0-9]{2,8}$")]
    uscc: str
    is_official: bool
    name: ShortTitle
    kind: Annotated[str, StringConstraints(pattern=r"^[A-Z]{2,6}$")] | None
    division: str
    portal_codes: list[Text] | None = None
    consult_phone: Text | None = None
    complaint_phone: Text | None = None
    service_points: list[ServicePoint] | None = None
    origin: Origin

    _division = field_validator("division")(check_division)

    @field_validator("uscc")
    @classmethod
    def _is_a_credit_code(cls, value: str) -> str:
        try:
            return parse_credit_code(value).value
        except InvalidIdentifier as error:
            raise ValueError(str(error)) from error


class DepartmentList(Document):
    """``departments.json``."""

    departments: Annotated[list[DepartmentRow], Field(min_length=1)]

    @model_validator(mode="after")
    def _codes_are_unique(self) -> "DepartmentList":
        check_unique("departments", [one.code for one in self.departments])
        return self


class ThemeRow(Document):
    """A theme title of the source; ``guide`` other than ``none`` when its guide is in the catalogue."""

    code: BundleCode
    title: Title
    region_guides: Annotated[int, Field(ge=0, le=_MOST_GUIDES)]
    distinct_versions: Annotated[int, Field(ge=0, le=_MOST_GUIDES)]
    guide: Annotated[str, StringConstraints(pattern=r"^[a-z]+$")]


class SynonymRow(Document):
    """What people say, and what the catalogue calls it, the closest first and separated by ``|`` in the file."""

    word: Annotated[str, StringConstraints(min_length=1, max_length=_LONGEST_WORD)]
    means: Text
    note: str = ""

    @property
    def meanings(self) -> list[str]:
        return [one.strip() for one in self.means.split("|") if one.strip()]

    @field_validator("word")
    @classmethod
    def _can_be_looked_for(cls, value: str) -> str:
        if not 1 <= len(normalise(value)) <= _LONGEST_WORD:  # an empty one would stand in every search
            raise ValueError(f"a word has 1 to {_LONGEST_WORD} characters that a search looks at")
        return value

    @field_validator("means")
    @classmethod
    def _means_something(cls, value: str) -> str:
        if not value.replace("|", "").strip():
            raise ValueError("a synonym needs what it means")
        return value


def synonyms_of(rows: list[SynonymRow]) -> Mapping[str, list[str]]:
    """Meanings by word as a search reads it; a word that stands in several rows has all of them."""
    together: dict[str, list[str]] = {}
    for row in rows:
        known = together.setdefault(normalise(row.word), [])
        known += [one for one in row.meanings if one not in known]
    return together
