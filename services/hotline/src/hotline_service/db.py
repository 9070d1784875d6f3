"""The base of the rows of hotline."""

from enum import StrEnum

from sqlalchemy import Enum
from sqlalchemy.orm import DeclarativeBase

from service_common.db import TYPE_ANNOTATIONS, service_metadata
from service_common.tables import attach_calendar, attach_plumbing


class Base(DeclarativeBase):
    """Enums are words in the database: a new one needs no migration of a type."""

    metadata = service_metadata()
    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy reads it from the class
        **TYPE_ANNOTATIONS,
        StrEnum: Enum(
            StrEnum, native_enum=False, length=40, values_callable=lambda kind: [one.value for one in kind]
        ),
    }


attach_plumbing(Base.metadata)
attach_calendar(Base.metadata)
