"""The base of acceptance's rows."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Enum, any_, literal
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import DeclarativeBase, InstrumentedAttribute

from service_common.db import TYPE_ANNOTATIONS, service_metadata
from service_common.tables import attach_plumbing


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


def among(column: InstrumentedAttribute[Any], values: Iterable[object]) -> ColumnElement[bool]:
    """``column = ANY (values)``: one parameter however many values, where ``IN`` stops at 32,767."""
    return column == any_(literal(list(values), ARRAY(column.type)))
