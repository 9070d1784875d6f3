"""The sealed values of a person, opened and closed in one place so that column names cannot drift."""

from dataclasses import dataclass
from uuid import UUID

from identity_service.people.models import Person
from service_common.crypto import KeyRing

_PHONE = "persons.phone"
_NAME = "persons.name"
_ID_NUMBER = "persons.id_number"


@dataclass(frozen=True, slots=True)
class Profile:
    """A person in clear. Never logged, never sent in an event; its repr shows no value."""

    person_id: UUID
    phone: str
    trust_level: int
    name: str | None
    id_number: str | None

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


def id_number_index(ring: KeyRing, id_number: str) -> bytes:
    return ring.blind_index(id_number, column=_ID_NUMBER)


def open_profile(ring: KeyRing, person: Person) -> Profile:
    """All values of a person in clear."""
    return Profile(
        person_id=person.id,
        phone=ring.decrypt(person.phone, column=_PHONE),
        trust_level=person.trust_level,
        name=ring.decrypt(person.name, column=_NAME) if person.name else None,
        id_number=ring.decrypt(person.id_number, column=_ID_NUMBER) if person.id_number else None,
    )
