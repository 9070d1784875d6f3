"""Rows of natural persons."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ForeignKey, Integer, SmallInteger, func
from sqlalchemy.orm import Mapped, mapped_column

from gov_rules.identifiers import IdentityKind
from identity_service.db import Base
from identity_service.people.domain import VerificationMethod
from service_common.db import Aggregate, new_id


class Person(Aggregate, Base):
    """A natural person. Personal values are sealed; the indexes find them again."""

    __tablename__ = "persons"

    phone: Mapped[bytes]
    phone_index: Mapped[bytes] = mapped_column(unique=True)
    trust_level: Mapped[int] = mapped_column(SmallInteger, default=1)
    name: Mapped[bytes | None]
    id_number: Mapped[bytes | None]
    id_number_index: Mapped[bytes | None] = mapped_column(unique=True)
    id_kind: Mapped[IdentityKind | None]
    is_active: Mapped[bool] = mapped_column(default=True)


class Verification(Base):
    """Evidence of one verification: what was asked, what the register said, when. Kept, never changed."""

    __tablename__ = "verifications"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=new_id)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("persons.id"), index=True)
    method: Mapped[VerificationMethod]
    level: Mapped[int | None] = mapped_column(SmallInteger)
    result: Mapped[str]
    evidence: Mapped[bytes]
    checked_at: Mapped[datetime]


class PhoneCode(Base):
    """A code that was sent to a phone. One per phone and purpose: a new one replaces it."""

    __tablename__ = "phone_codes"

    phone_index: Mapped[bytes] = mapped_column(primary_key=True)
    code_hash: Mapped[bytes]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    tries: Mapped[int] = mapped_column(Integer, default=0)
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
