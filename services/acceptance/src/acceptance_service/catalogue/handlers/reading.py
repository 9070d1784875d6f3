"""Reading what is published: lists are public (行政许可法 Art. 30)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select, true, tuple_
from sqlalchemy.ext.asyncio import AsyncSession

from acceptance_service.catalogue import repository
from acceptance_service.catalogue.domain import (
    ApplicantKind,
    Completeness,
    EntryKind,
    EntryState,
    NoSuchEntry,
)
from acceptance_service.catalogue.models import Bundle, ServiceItem, Theme
from acceptance_service.catalogue.repository import ROWS, Row
from acceptance_service.divisions import read_division


@dataclass(frozen=True, slots=True)
class ItemFilter:
    """Which published items; None: any. ``division`` is exact: a list is of one division's own items."""

    division: str | None = None
    department_id: UUID | None = None
    item_type: str | None = None
    applicant_kind: ApplicantKind | None = None
    completeness: Completeness | None = None


async def list_items(
    session: AsyncSession, wanted: ItemFilter, *, after: str | None, limit: int
) -> Sequence[ServiceItem]:
    """Published items in the order of their codes. Raises: BadDivision."""
    statement = _published(ServiceItem, after, limit)
    if wanted.division:
        statement = statement.where(ServiceItem.division == read_division(wanted.division))
    if wanted.department_id:
        statement = statement.where(ServiceItem.department_id == wanted.department_id)
    if wanted.item_type:
        statement = statement.where(ServiceItem.item_type == wanted.item_type)
    if wanted.applicant_kind:
        statement = statement.where(
            (func.cardinality(ServiceItem.applicant_kinds) == 0)
            | ServiceItem.applicant_kinds.contains([wanted.applicant_kind.value])
        )
    if wanted.completeness:
        statement = statement.where(ServiceItem.completeness == wanted.completeness.value)
    return (await session.scalars(statement)).all()


async def list_bundles(
    session: AsyncSession, *, division: str | None, after: str | None, limit: int
) -> Sequence[Bundle]:
    """Published bundles in the order of their codes. Raises: BadDivision."""
    statement = _published(Bundle, after, limit)
    if division:
        statement = statement.where(Bundle.offered_in.contains([read_division(division)]))
    return (await session.scalars(statement)).all()


def _published(model: Any, after: str | None, limit: int) -> Select[Any]:
    statement = select(model).where(model.state == EntryState.PUBLISHED).order_by(model.code).limit(limit)
    return statement.where(model.code > after) if after else statement


async def list_themes(
    session: AsyncSession, *, after: str | None, limit: int
) -> Sequence[tuple[Theme, int | None]]:
    """Every theme title of the source with the published version of its bundle; None: its guide is lacking."""
    statement = (
        select(Theme, Bundle.entry_version)
        .outerjoin(Bundle, (Bundle.code == Theme.code) & (Bundle.state == EntryState.PUBLISHED))
        .where(Theme.code > after if after else true())
        .order_by(Theme.code)
        .limit(limit)
    )
    return [(theme, version) for theme, version in await session.execute(statement)]


async def read_published(session: AsyncSession, kind: EntryKind, code: str) -> Row:
    """The published version. Raises: NoSuchEntry."""
    found = await repository.published(session, kind, [code])
    if not found:
        raise NoSuchEntry(code=code)
    return found[0]


async def read_version(session: AsyncSession, kind: EntryKind, code: str, entry_version: int) -> Row:
    """Any version, for operators. Raises: NoSuchEntry."""
    row = await repository.version_of(session, kind, code, entry_version)
    if row is None:
        raise NoSuchEntry(code=code)
    return row


async def list_versions(session: AsyncSession, kind: EntryKind, code: str) -> Sequence[Row]:
    """Every version of a code, newest first. Raises: NoSuchEntry."""
    model = ROWS[kind]
    found = await session.scalars(
        select(model).where(model.code == code).order_by(model.entry_version.desc())
    )
    rows = found.all()
    if not rows:
        raise NoSuchEntry(code=code)
    return rows


async def list_published_versions(session: AsyncSession, kind: EntryKind, code: str) -> Sequence[Row]:
    """The versions that are or were in force, newest first. Raises: NoSuchEntry."""
    rows = [one for one in await list_versions(session, kind, code) if one.published_at is not None]
    if not rows:
        raise NoSuchEntry(code=code)
    return rows


async def list_of_state(
    session: AsyncSession,
    kind: EntryKind,
    state: EntryState,
    *,
    after: tuple[str, int] | None,
    limit: int,
) -> Sequence[Row]:
    """Versions in one state in the order of their codes: what waits for a reviewer."""
    model = ROWS[kind]
    statement = (
        select(model).where(model.state == state).order_by(model.code, model.entry_version).limit(limit)
    )
    if after:
        statement = statement.where(tuple_(model.code, model.entry_version) > after)
    return (await session.scalars(statement)).all()
