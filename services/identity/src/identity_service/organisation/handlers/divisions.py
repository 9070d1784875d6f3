"""Divisions: loaded from files, looked up."""

from collections.abc import Sequence
from itertools import islice
from typing import Any

from sqlalchemy import select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from gov_rules.divisions import NATION
from identity_service.organisation.division_file import DivisionRow, orphans, read_divisions, refuse
from identity_service.organisation.domain import NoSuchDivision, normal_area_code
from identity_service.organisation.models import Division

# Rows in one statement: the wire protocol allows 32,767 parameters, and a row has five.
_BATCH = 5000


async def import_divisions(session: AsyncSession, text: str, *, ndjson: bool) -> tuple[int, int]:
    """Loads a file whole or not at all. Returns how many rows it had and how many of them changed anything.

    Raises: BadImport, naming the bad lines.
    """
    rows = read_divisions(text, ndjson=ndjson)
    refuse(orphans(rows, await _known_parents(session, rows)))
    changed = 0
    remaining = iter(rows)
    while batch := list(islice(remaining, _BATCH)):
        changed += await _store(session, batch)
    return len(rows), changed


async def _known_parents(session: AsyncSession, rows: Sequence[DivisionRow]) -> set[str]:
    inside = {row.code for row in rows}
    wanted = sorted({row.parent_code for row in rows} - inside - {NATION})
    known: set[str] = set()
    for start in range(0, len(wanted), _BATCH):
        part = wanted[start : start + _BATCH]
        known.update(await session.scalars(select(Division.code).where(Division.code.in_(part))))
    return known


async def _store(session: AsyncSession, rows: Sequence[DivisionRow]) -> int:
    values: list[dict[str, Any]] = [
        {
            "code": row.code,
            "level": int(row.level),
            "name": row.name,
            "kind": row.kind,
            "parent_code": row.parent_code,
        }
        for row in rows
    ]
    statement = insert(Division).values(values)
    new = statement.excluded
    stored = await session.execute(
        statement.on_conflict_do_update(
            index_elements=["code", "level"],
            set_={"name": new.name, "kind": new.kind, "parent_code": new.parent_code},
            where=tuple_(Division.name, Division.kind, Division.parent_code)
            != tuple_(new.name, new.kind, new.parent_code),
        ).returning(Division.code)
    )
    return len(stored.all())


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
