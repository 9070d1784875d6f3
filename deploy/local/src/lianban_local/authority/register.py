"""What the register knows: a demo population of people and companies that do not exist."""

import functools
from enum import StrEnum
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict

_POPULATION_FILE = Path(__file__).with_name("population.json")


class Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NaturalPerson(Record):
    """Identity number by GB 11643 with a division that is assigned to no place."""

    name: str
    id_number: str
    phone: str


class LegalPerson(Record):
    """A company or sole trader; its credit code by GB 32100, the division in it again assigned to no place."""

    uscc: str
    name: str
    kind: Literal["limited_company", "sole_trader"]
    representative_id_number: str
    address: str
    scope: str
    status: Literal["active", "revoked"]


class Population(Record):
    """Everybody the register knows. The demo seed takes its people from here, so that their names verify."""

    synthetic: Literal[True]
    note: str
    natural_persons: tuple[NaturalPerson, ...]
    legal_persons: tuple[LegalPerson, ...]


class Result(StrEnum):
    """What an authority answers: never what it knows instead."""

    MATCH = "match"
    MISMATCH = "mismatch"
    UNKNOWN = "unknown"


@functools.cache
def population() -> Population:
    """Read once."""
    return Population.model_validate_json(_POPULATION_FILE.read_bytes())


def check_person(name: str, id_number: str) -> Result:
    """Whether this number belongs to this name."""
    known = {person.id_number: person for person in population().natural_persons}
    person = known.get(id_number.upper())
    if person is None:
        return Result.UNKNOWN
    return Result.MATCH if person.name == name.strip() else Result.MISMATCH


def check_legal_person(
    uscc: str, name: str, representative_id_number: str | None
) -> tuple[Result, LegalPerson | None]:
    """Whether this code belongs to this name and, if asked, to this representative; the entry only on a match."""
    known = {legal_person.uscc: legal_person for legal_person in population().legal_persons}
    entry = known.get(uscc.upper())
    if entry is None:
        return Result.UNKNOWN, None
    named = entry.name == name.strip()
    represented = representative_id_number in {None, entry.representative_id_number}
    return (Result.MATCH, entry) if named and represented else (Result.MISMATCH, None)
