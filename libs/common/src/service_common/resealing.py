"""Sealing what older keys of the ring have sealed anew with the newest, while the service runs.

Needed after a data key was rotated, before the old one can leave the ring. In batches, each a transaction of its own: stopped at
any moment and begun again, it goes on with what is left. A value that somebody writes meanwhile is theirs: it is replaced
only as long as it is the one that was read.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Column,
    LargeBinary,
    MetaData,
    Row,
    Table,
    column,
    func,
    literal,
    literal_column,
    select,
    tuple_,
    update,
    values,
)
from sqlalchemy.ext.asyncio import AsyncSession

from service_common.crypto import KeyRing, UnreadableValue
from service_common.db import SEALED, Database


@dataclass(frozen=True, slots=True)
class SealedColumn:
    """A column of sealed values; ``name`` is what they are bound to, and what the key ring asks for."""

    table: Table
    column: Column[Any]
    name: str

    @property
    def title(self) -> str:
        """Where it stands: two columns may share a name."""
        return f"{self.table.name}.{self.column.name}"

    @property
    def key_id(self) -> Any:
        """The number of the key that sealed a value, as its two bytes."""
        return func.substring(self.column, literal_column("2"), literal_column("2"), type_=LargeBinary)


@dataclass(slots=True)
class Progress:
    """What became of one column: of ``due`` values so many were sealed anew, so many do not open."""

    column: SealedColumn
    due: int
    resealed: int = 0
    unreadable: int = 0


def sealed_columns(metadata: MetaData) -> Iterator[SealedColumn]:
    """Every column that its model declares as ``sealed``, by table."""
    for table in metadata.sorted_tables:
        for one in table.columns:
            if SEALED in one.info:
                yield SealedColumn(table, one, one.info[SEALED])


async def values_by_key(session: AsyncSession, one: SealedColumn) -> dict[int, int]:
    """How many values of a column each key has sealed."""
    rows = await session.execute(
        select(one.key_id, func.count()).where(one.column.is_not(None)).group_by(one.key_id)
    )
    return {int.from_bytes(key_id, "big"): count for key_id, count in rows}


async def reseal(
    database: Database,
    ring: KeyRing,
    metadata: MetaData,
    *,
    batch: int = 100,
    tell: Callable[[Progress], None] = lambda _progress: None,
) -> Sequence[Progress]:
    """Seals everything that is under an older key with the newest. ``tell`` hears of each batch.

    What does not open is counted and left as it is: its key is not in the ring, or it was damaged.
    """
    return [
        await _reseal_column(database, ring, one, batch=batch, tell=tell) for one in sealed_columns(metadata)
    ]


async def _reseal_column(
    database: Database, ring: KeyRing, one: SealedColumn, *, batch: int, tell: Callable[[Progress], None]
) -> Progress:
    async with database.sessions() as session:
        by_key = await values_by_key(session, one)
    progress = Progress(one, due=sum(by_key.values()) - by_key.get(ring.newest, 0))
    last: tuple[Any, ...] | None = None
    while progress.due:
        async with database.sessions() as session, session.begin():
            rows = await _next_rows(session, ring, one, after=last, limit=batch)
            if not rows:
                break
            last = tuple(rows[-1])[:-1]
            await _replace(session, ring, one, rows, progress)
        tell(progress)
    return progress


async def _next_rows(
    session: AsyncSession, ring: KeyRing, one: SealedColumn, *, after: tuple[Any, ...] | None, limit: int
) -> Sequence[Row[Any]]:
    keys: list[Any] = list(one.table.primary_key.columns)
    query = select(*[*keys, one.column]).where(
        one.column.is_not(None), one.key_id != ring.newest.to_bytes(2, "big")
    )
    if after is not None:
        place = tuple_(*(literal(value, key.type) for value, key in zip(after, keys, strict=True)))
        query = query.where(tuple_(*keys) > place)
    return (await session.execute(query.order_by(*keys).limit(limit))).all()


async def _replace(
    session: AsyncSession, ring: KeyRing, one: SealedColumn, rows: Sequence[Row[Any]], progress: Progress
) -> None:
    fresh = []
    for row in rows:
        stored = row[-1]
        try:
            fresh.append((*row, ring.reseal(stored, column=one.name)))
        except UnreadableValue:
            progress.unreadable += 1
    if not fresh:
        return
    keys = list(one.table.primary_key.columns)
    names = [f"key_{number}" for number, _key in enumerate(keys)]
    new = values(
        *(column(name, key.type) for name, key in zip(names, keys, strict=True)),
        column("stored", LargeBinary),
        column("resealed", LargeBinary),
        name="fresh",
    ).data(fresh)
    # Nothing about the row has changed for anybody, so neither has the moment of its last change.
    untouched = {other: other for other in one.table.columns if other.onupdate is not None}
    done = await session.execute(
        update(one.table)
        .where(
            *(key == new.c[name] for name, key in zip(names, keys, strict=True)),
            one.column == new.c.stored,
        )
        .values({**untouched, one.column: new.c.resealed})
        .returning(keys[0])
        .execution_options(synchronize_session=False)
    )
    progress.resealed += len(done.all())
