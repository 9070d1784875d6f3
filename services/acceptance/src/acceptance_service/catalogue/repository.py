"""Reading the catalogue."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from acceptance_service.catalogue.domain import EntryKind, EntryState, ImportKind
from acceptance_service.catalogue.models import (
    Bundle,
    CatalogueEntry,
    CatalogueImport,
    ReferenceList,
    ServiceItem,
)
from acceptance_service.db import among

Row = CatalogueEntry

ROWS: Mapping[EntryKind, type[CatalogueEntry]] = {
    EntryKind.ITEM: ServiceItem,
    EntryKind.BUNDLE: Bundle,
    EntryKind.LIST: ReferenceList,
}


@dataclass(frozen=True, slots=True)
class LatestVersion:
    """The newest version of a code, whatever its state."""

    id: UUID
    entry_version: int
    state: EntryState
    content_hash: bytes


async def latest_versions(
    session: AsyncSession, kind: EntryKind, codes: Sequence[str]
) -> Mapping[str, LatestVersion]:
    """The newest version of each code."""
    model = ROWS[kind]
    found = await session.execute(
        select(model.code, model.id, model.entry_version, model.state, model.content_hash)
        .where(among(model.code, codes))
        .ext(distinct_on(model.code))
        .order_by(model.code, model.entry_version.desc())
    )
    return {row.code: LatestVersion(row.id, row.entry_version, row.state, row.content_hash) for row in found}


async def import_of_file(
    session: AsyncSession, kind: ImportKind, content_hash: bytes
) -> CatalogueImport | None:
    """The last import of exactly this file that brought something."""
    found = await session.scalars(
        select(CatalogueImport)
        .where(CatalogueImport.kind == kind, CatalogueImport.content_hash == content_hash)
        .order_by(CatalogueImport.id.desc())
        .limit(1)
    )
    return found.first()


async def states_of_import(
    session: AsyncSession, kind: EntryKind, import_id: UUID
) -> Mapping[EntryState, int]:
    """How many versions of an import are in which state."""
    model = ROWS[kind]
    counted = await session.execute(
        select(model.state, func.count()).where(model.import_id == import_id).group_by(model.state)
    )
    return {row.state: row[1] for row in counted}


async def rows_of_import(
    session: AsyncSession, kind: EntryKind, import_id: UUID, states: Iterable[EntryState]
) -> Sequence[Row]:
    """The versions of an import in some states, locked, in the order of the file."""
    model = ROWS[kind]
    found = await session.scalars(
        select(model)
        .where(model.import_id == import_id, model.state.in_(list(states)))
        .order_by(model.line, model.code)
        .with_for_update()
    )
    return found.all()


async def version_of(
    session: AsyncSession, kind: EntryKind, code: str, entry_version: int, *, lock: bool = False
) -> Row | None:
    """One version."""
    model = ROWS[kind]
    statement = select(model).where(model.code == code, model.entry_version == entry_version)
    if lock:
        statement = statement.with_for_update()
    return (await session.scalars(statement)).first()


async def published(session: AsyncSession, kind: EntryKind, codes: Sequence[str]) -> Sequence[Row]:
    """The published versions of some codes."""
    model = ROWS[kind]
    found = await session.scalars(
        select(model).where(among(model.code, codes), model.state == EntryState.PUBLISHED)
    )
    return found.all()
