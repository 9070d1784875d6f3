"""Bringing files into the catalogue."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from acceptance_service.catalogue import repository
from acceptance_service.catalogue.bundle_definition import BundleDefinition
from acceptance_service.catalogue.definitions import ItemDefinition, compiled_elements, content_hash
from acceptance_service.catalogue.domain import EntryKind, EntryState, ImportKind, NoSuchImport
from acceptance_service.catalogue.files import Row, read_file
from acceptance_service.catalogue.models import CatalogueImport
from acceptance_service.catalogue.repository import ROWS, LatestVersion
from acceptance_service.db import among
from service_common.db import new_id

# Two operators who import at once must not give one code the same version number. A number of its own: with the timer's, no
# deadline would be looked at for as long as a catalogue is read in.
_IMPORT_LOCK = 7_210_103


@dataclass(frozen=True, slots=True)
class ImportProgress:
    """An import, and how many of its versions are in which state."""

    row: CatalogueImport
    states: Mapping[EntryState, int]

    @property
    def rows_unchanged(self) -> int:
        return self.row.rows_total - self.row.rows_new


async def import_file(
    session: AsyncSession, *, kind: ImportKind, body: bytes, operator: str, now: datetime
) -> ImportProgress:
    """Loads a file whole, or not at all; what is unchanged is left alone, what changed becomes a new draft version.

    A file that changes nothing and was imported before gives that import again, so an interrupted load goes on where it
    was. Raises: BadFile.
    """
    rows = await asyncio.to_thread(read_file, kind, body)  # seconds for 20 MB: others go on being answered
    await session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _IMPORT_LOCK})
    table = kind.entry_kind
    latest = await repository.latest_versions(session, table, [row.code for row in rows])
    changed = [row for row in rows if _is_new(row, latest.get(row.code))]
    file_hash = hashlib.sha256(body).digest()
    if not changed and (before := await repository.import_of_file(session, kind, file_hash)):
        return await import_progress(session, before.id)
    brought = CatalogueImport(
        kind=kind,
        content_hash=file_hash,
        imported_by=operator,
        imported_at=now,
        rows_total=len(rows),
        rows_new=len(changed),
    )
    session.add(brought)
    await session.flush()
    await _add_versions(session, table, changed, latest, brought)
    return await import_progress(session, brought.id)


def _is_new(row: Row, latest: LatestVersion | None) -> bool:
    return (
        latest is None
        or latest.content_hash != content_hash(row.document)
        or latest.state is EntryState.RETIRED
    )


async def _add_versions(
    session: AsyncSession,
    kind: EntryKind,
    rows: Sequence[Row],
    latest: Mapping[str, LatestVersion],
    brought: CatalogueImport,
) -> None:
    if not rows:
        return
    model = ROWS[kind]
    overtaken = [
        latest[row.code].id for row in rows if row.code in latest and latest[row.code].state in _UNPUBLISHED
    ]
    if overtaken:
        await session.execute(
            update(model)
            .where(among(model.id, overtaken))
            .values(state=EntryState.RETIRED, retired_at=brought.imported_at, version=model.version + 1)
        )
    await session.execute(insert(model), await asyncio.to_thread(_version_rows, kind, rows, latest, brought))


def _version_rows(
    kind: EntryKind, rows: Sequence[Row], latest: Mapping[str, LatestVersion], brought: CatalogueImport
) -> list[dict[str, Any]]:
    return [
        {
            "id": new_id(),
            "version": 1,
            "revision": 0,
            "code": row.code,
            "entry_version": latest[row.code].entry_version + 1 if row.code in latest else 1,
            "state": EntryState.DRAFT,
            "definition": row.document,
            "content_hash": content_hash(row.document),
            "compiled_elements": list(compiled_elements(row.document)),
            "line": row.line,
            "import_id": brought.id,
            "brought_in_by": brought.imported_by,
            **_columns(kind, row.document),
        }
        for row in rows
    ]


_UNPUBLISHED = (EntryState.DRAFT, EntryState.IN_REVIEW, EntryState.APPROVED)


def _columns(kind: EntryKind, document: dict[str, Any]) -> dict[str, Any]:
    """What lists and search need beside the document."""
    if kind is EntryKind.ITEM:
        item = ItemDefinition.model_validate(document)
        return {
            "name": item.title,
            "item_type": item.item_type,
            "department": item.department,
            "division": item.division,
            "applicant_kinds": [one.value for one in item.service_objects or ()],
            "completeness": item.completeness.value,
        }
    if kind is EntryKind.BUNDLE:
        bundle = BundleDefinition.model_validate(document)
        return {
            "title": bundle.title,
            "division": bundle.division,
            "lead_department": bundle.lead_department,
            "item_codes": [one.item for one in bundle.items],
            "offered_in": [one.division for one in bundle.regions],
        }
    return {}


async def import_progress(session: AsyncSession, import_id: UUID) -> ImportProgress:
    """Raises: NoSuchImport."""
    row = await session.get(CatalogueImport, import_id)
    if row is None:
        raise NoSuchImport
    return ImportProgress(row, await repository.states_of_import(session, row.kind.entry_kind, import_id))


async def list_imports(session: AsyncSession, *, after: UUID | None, limit: int) -> Sequence[CatalogueImport]:
    """Newest first."""
    statement = select(CatalogueImport).order_by(CatalogueImport.id.desc()).limit(limit)
    if after:
        statement = statement.where(CatalogueImport.id < after)
    return (await session.scalars(statement)).all()
