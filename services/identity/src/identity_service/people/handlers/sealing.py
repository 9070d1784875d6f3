"""The sealed values of a person, opened and closed in one place so that column names cannot drift."""

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from identity_service.people.domain import Document, DocumentKind
from identity_service.people.models import Person
from service_common.crypto import KeyRing

_PHONE = "persons.phone"
_NAME = "persons.name"
_ID_NUMBER = "persons.id_number"
_BIRTH_DATE = "persons.birth_date"


@dataclass(frozen=True, slots=True)
class Profile:
    """A person in clear. Never logged, never sent in an event; its repr shows no value."""

    person_id: UUID
    phone: str | None
    trust_level: int
    name: str | None
    id_number: str | None
    birth_date: date | None = None
    document_kind: DocumentKind | None = None
    document_country: str | None = None
    language: str = "zh"

    def __repr__(self) -> str:
        return f"Profile({self.person_id})"


def seal_phone(ring: KeyRing, phone: str) -> bytes:
    return ring.encrypt(phone, column=_PHONE)


def seal_name(ring: KeyRing, name: str) -> bytes:
    return ring.encrypt(name, column=_NAME)


def seal_id_number(ring: KeyRing, id_number: str) -> bytes:
    return ring.encrypt(id_number, column=_ID_NUMBER)


def phone_index(ring: KeyRing, phone: str) -> bytes:
    return ring.blind_index(phone, column=_PHONE)


def seal_birth_date(ring: KeyRing, birth_date: date) -> bytes:
    return ring.encrypt(birth_date.isoformat(), column=_BIRTH_DATE)


def _birth_date_of(ring: KeyRing, person: Person) -> date | None:
    if person.birth_date is not None:
        return date.fromisoformat(ring.decrypt(person.birth_date, column=_BIRTH_DATE))
    if person.id_number is None:
        return None
    # Verified before birth dates were kept: then it was a document whose number tells it (GB 11643).
    digits = ring.decrypt(person.id_number, column=_ID_NUMBER)[6:14]
    return date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))


def document_index(ring: KeyRing, document: Document) -> bytes:
    """Finds the person of a document again."""
    return id_number_index(ring, document.unique_text)


def id_number_index(ring: KeyRing, id_number: str) -> bytes:
    return ring.blind_index(id_number, column=_ID_NUMBER)


def open_profile(ring: KeyRing, person: Person) -> Profile:
    """All values of a person in clear."""
    return Profile(
        person_id=person.id,
        phone=ring.decrypt(person.phone, column=_PHONE) if person.phone else None,
        trust_level=person.trust_level,
        name=ring.decrypt(person.name, column=_NAME) if person.name else None,
        id_number=ring.decrypt(person.id_number, column=_ID_NUMBER) if person.id_number else None,
        birth_date=_birth_date_of(ring, person),
        document_kind=person.id_kind,
        document_country=person.id_country,
        language=person.language,
    )
