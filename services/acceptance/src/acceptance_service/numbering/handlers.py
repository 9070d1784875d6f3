"""Drawing numbers without collisions: serials, query numbers, and document numbers without gaps.

Two kinds of serial, on purpose. Document numbers have no gaps: their counter moves in the transaction of the document,
and a rollback takes it back. Project and master numbers may have gaps: their counters move in a statement of their own, so
that no submission waits for another one's commit. docs/cases.md has the measurement.
"""

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession

from acceptance_service.numbering.models import Counter, QueryNumber
from gov_rules.identifiers import (
    compose_bundle_number,
    compose_document_number,
    compose_project_number,
    compose_query_number,
)
from service_common.clock import local_date
from service_common.db import open_engine
from service_common.settings import ServiceSettings

_DRAW = text(
    """
    INSERT INTO counters (series, last) SELECT unnest(CAST(:series AS text[])), 1
    ON CONFLICT (series) DO UPDATE SET last = counters.last + 1
    RETURNING series, last
    """
)
_KEEP_QUERY_NUMBER = (
    insert(QueryNumber)
    .values(number=bindparam("number"))
    .on_conflict_do_nothing()
    .returning(QueryNumber.number)
)
_NEXT_OF_DOCUMENTS = (
    insert(Counter)
    .values(series=bindparam("series"), last=1)
    .on_conflict_do_update(index_elements=["series"], set_={"last": Counter.last + 1})
    .returning(Counter.last)
)


class Serials:
    """Serials that may have gaps, drawn on connections of their own."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @classmethod
    @asynccontextmanager
    async def connect(cls, settings: ServiceSettings) -> AsyncIterator["Serials"]:
        """A pool apart from the sessions': whoever draws holds a session's connection already.

        Commits need not wait for the disk here: a number that a durable row carries was drawn before that row, and
        its record lies before the row's in the same log.
        """
        engine = open_engine(
            settings.database_url.get_secret_value(),
            settings.database_ca_file,
            pool_size=2,
            max_overflow=0,
            isolation_level="AUTOCOMMIT",
            connect_args={"timeout": 10, "server_settings": {"synchronous_commit": "off", "jit": "off"}},
        )
        try:
            yield cls(engine)
        finally:
            await engine.dispose()

    async def draw(self, series: Sequence[str]) -> dict[str, int]:
        """The next serial of each series, in one statement; sorted, so that two draws never wait crosswise."""
        async with self._engine.connect() as connection:
            rows = await connection.execute(_DRAW, {"series": sorted(set(series))})
            return {row.series: row.last for row in rows}


async def draw_project_numbers(
    serials: Serials, implementation_codes: Sequence[str], division: str, now: datetime, *, master: bool
) -> tuple[list[str], str | None]:
    """A project number 办件编号 for each case of one application, and the master number of a bundle.

    Source: standards §1.6.
    """
    day = local_date(now)
    master_series = f"bundle:{division[:6]}:{day:%Y%m%d}"
    drawn = await serials.draw(
        [_case_series(code, day) for code in implementation_codes] + ([master_series] if master else [])
    )
    numbers = [
        compose_project_number(code, day, drawn[_case_series(code, day)]) for code in implementation_codes
    ]
    return numbers, compose_bundle_number(division, day, drawn[master_series]) if master else None


async def draw_query_number(session: AsyncSession, now: datetime) -> str:
    """A query number 查询码 that nobody has and nobody can guess from a neighbour's."""
    while True:
        number = compose_query_number(local_date(now), secrets.randbelow(1_000_000))
        taken = await session.execute(_KEEP_QUERY_NUMBER, {"number": number})
        if taken.first() is not None:
            return number


async def draw_document_number(
    session: AsyncSession, *, department_id: UUID, short_name: str, kind: str, now: datetime
) -> str:
    """The next document number 文书编号 of a department, kind and year; without gaps, so call it late.

    Source: standards §1.6; the transaction holds the counter until its end.
    """
    year = local_date(now).year
    serial = await session.scalar(_NEXT_OF_DOCUMENTS, {"series": f"document:{department_id}:{kind}:{year}"})
    assert serial is not None
    return compose_document_number(short_name, kind, year, serial)


def _case_series(implementation_code: str, day: date) -> str:
    return f"case:{implementation_code}:{day:%Y%m%d}"
