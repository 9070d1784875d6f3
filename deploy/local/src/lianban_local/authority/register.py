"""What the register knows: a demo population of people and companies that do not exist."""

import base64
import functools
import hashlib
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


class Document(Record):
    """A travel document without an identity number: its holder is known by kind, country and number."""

    kind: Literal["PASSPORT", "HONG_KONG_MACAO_PERMIT", "TAIWAN_PERMIT"]
    country: str
    number: str
    name: str
    birth_date: str


class Guardianship(Record):
    """Who is answerable for a child, as the household register says."""

    guardian_id_number: str
    child_id_number: str


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
    documents: tuple[Document, ...]
    guardianships: tuple[Guardianship, ...]


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


def check_document(kind: str, country: str, number: str, name: str, birth_date: str) -> Result:
    """Whether a travel document belongs to this name and birth date."""
    for document in population().documents:
        if (document.kind, document.country, document.number) == (kind, country, number):
            same = (document.name, document.birth_date) == (name.strip(), birth_date)
            return Result.MATCH if same else Result.MISMATCH
    return Result.UNKNOWN


def check_guardian(guardian_id_number: str, child_id_number: str) -> Result:
    """Whether one person is the guardian of another."""
    numbers = {person.id_number for person in population().natural_persons}
    guardian, child = guardian_id_number.upper(), child_id_number.upper()
    if guardian not in numbers or child not in numbers:
        return Result.UNKNOWN
    named = any(
        (one.guardian_id_number, one.child_id_number) == (guardian, child)
        for one in population().guardianships
    )
    return Result.MATCH if named else Result.MISMATCH


_PORTRAIT_BYTES = 64
_SAME_FACE = 0.95


def portrait_of(id_number: str) -> bytes:
    """The picture on file: grey values drawn from the number, since nobody here has a face."""
    return hashlib.shake_256(f"portrait {id_number.upper()}".encode()).digest(_PORTRAIT_BYTES)


def check_face(name: str, id_number: str, picture: bytes) -> tuple[Result, float]:
    """How alike a picture and the one on file are, from 0 to 1, and whether that is enough."""
    result = check_person(name, id_number)
    if result is not Result.MATCH:
        return result, 0.0
    on_file = portrait_of(id_number)
    if len(picture) != len(on_file):
        return Result.MISMATCH, 0.0
    apart = sum(abs(one - other) for one, other in zip(on_file, picture, strict=True))
    score = round(1 - apart / (255 * len(on_file)), 4)
    return (Result.MATCH if score >= _SAME_FACE else Result.MISMATCH), score


def network_credential_of(id_number: str) -> str:
    """The network credential 网证 of a person: letters and digits that tell nothing of who it is."""
    digest = hashlib.sha256(f"network credential {id_number.upper()}".encode()).digest()
    return "WZ" + base64.b32encode(digest[:20]).decode()


def check_network_credential(credential: str, id_number: str) -> Result:
    """Whether a credential is this person's."""
    issued = {network_credential_of(person.id_number): person for person in population().natural_persons}
    holder = issued.get(credential)
    if holder is None:
        return Result.UNKNOWN
    return Result.MATCH if holder.id_number == id_number.upper() else Result.MISMATCH
