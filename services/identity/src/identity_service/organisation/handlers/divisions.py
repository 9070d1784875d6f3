"""Divisions: loaded from files, looked up."""

import asyncio
from collections.abc import Sequence

from sqlalchemy import ARRAY, String, any_, cast, select, text
from sqlalchemy.ext.asyncio import AsyncSession

from gov_rules.divisions import NATION
from identity_service.organisation.division_file import DivisionRow, orphans, read_divisions, refuse
from identity_service.organisation.domain import NoSuchDivision, normal_area_code
from identity_service.organisation.models import Division

# Rows in one statement. Arrays, not a long VALUES: that took the event loop a second per statement to put together.
_BATCH = 10_000

_STORE = text(
    """
    INSERT INTO divisions (code, level, name, kind, parent_code)
    SELECT * FROM unnest(
      CAST(:codes AS varchar[]), CAST(:levels AS smallint[]), CAST(:names AS varchar[]),
      CAST(:kinds AS varchar[]), CAST(:parents AS varchar[])
    )
    ON CONFLICT (code, level) DO UPDATE
      SET name = excluded.name, kind = excluded.kind, parent_code = excluded.parent_code, loaded_at = now()
      WHERE (divisions.name, divisions.kind, divisions.parent_code)
        IS DISTINCT FROM (excluded.name, excluded.kind, excluded.parent_code)
    """
)


async def import_divisions(session: AsyncSession, content: str, *, ndjson: bool) -> tuple[int, int]:
    """Loads a file whole or not at all. Returns how many rows it had and how many of them changed anything.

    Raises: BadImport, naming the bad lines.
    """
    # A file of the whole country is read in seconds, which other requests must not wait for.
    rows = await asyncio.to_thread(read_divisions, content, ndjson=ndjson)
    refuse(orphans(rows, await _known_parents(session, rows)))
    changed = 0
    for start in range(0, len(rows), _BATCH):
        changed += await _store(session, rows[start : start + _BATCH])
    return len(rows), changed


async def _known_parents(session: AsyncSession, rows: Sequence[DivisionRow]) -> set[str]:
    inside = {row.code for row in rows}
    wanted = sorted({row.parent_code for row in rows} - inside - {NATION})
    known = select(Division.code).where(Division.code == any_(cast(wanted, ARRAY(String))))
    return set(await session.scalars(known))


async def _store(session: AsyncSession, rows: Sequence[DivisionRow]) -> int:
    columns = {
        "codes": [row.code for row in rows],
        "levels": [int(row.level) for row in rows],
        "names": [row.name for row in rows],
        "kinds": [row.kind.value for row in rows],
        "parents": [row.parent_code for row in rows],
    }
    stored = await session.execute(_STORE, columns)
    return int(getattr(stored, "rowcount", 0))


async def list_divisions(
    session: AsyncSession, *, parent: str, after: str | None, limit: int
) -> Sequence[Division]:
    """The divisions directly below one, by code; one more than ``limit``. Raises: InvalidDivision."""
    code = normal_area_code(parent, pointer="query:parent")
    query = (
        select(Division)
        .where(Division.parent_code == code)
        .order_by(Division.code, Division.level)
        .limit(limit + 1)
    )
    if after is not None:
        query = query.where(Division.code > after)
    return (await session.scalars(query)).all()


async def get_division(session: AsyncSession, code: str) -> Division:
    """The highest division of a code. Raises: InvalidDivision, NoSuchDivision."""
    area = normal_area_code(code, pointer="path:code")
    division = await session.scalar(
        select(Division).where(Division.code == area).order_by(Division.level).limit(1)
    )
    if division is None:
        raise NoSuchDivision
    return division
