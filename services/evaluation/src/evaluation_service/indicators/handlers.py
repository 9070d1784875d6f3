"""Counting as it happens, and reading the sums."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import Row, func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from evaluation_service.indicators.domain import COUNTERS, Counts, Dimension, Reviewed
from evaluation_service.indicators.models import IndicatorCount


async def count(session: AsyncSession, *more: tuple[Reviewed, Counts]) -> None:
    """Adds to every row that the contacts count in. Call it once and last: the rows stay locked until the commit.

    One statement in one order of keys: writers that meet wait for each other and do not deadlock.
    """
    sums: dict[tuple[Dimension, str, str], Counter[str]] = defaultdict(Counter)
    for reviewed, counts in more:
        for dimension, key in reviewed.keys():  # noqa: SIM118 - a method of ours, no mapping
            sums[dimension, key, reviewed.period].update(asdict(counts))
    if not sums:
        return
    rows = [
        {"dimension": dimension, "key": key, "period": period, **sums[dimension, key, period]}
        for dimension, key, period in sorted(sums)
    ]
    statement = insert(IndicatorCount)
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["dimension", "key", "period"],
            set_={name: getattr(IndicatorCount, name) + statement.excluded[name] for name in COUNTERS},
        ),
        rows,
    )


@dataclass(frozen=True, slots=True)
class Indicator:
    """The sums of one division, department or item over some months."""

    dimension: Dimension
    key: str
    counts: Counts


async def read_indicators(
    session: AsyncSession,
    dimension: Dimension,
    *,
    first: str,
    last: str,
    key: str | None = None,
    after: str | None = None,
    limit: int,
) -> Sequence[Indicator]:
    """Sums over the months from ``first`` to ``last``, both included, by key."""
    sums = [func.sum(getattr(IndicatorCount, name)).label(name) for name in COUNTERS]
    query = (
        select(IndicatorCount.key, *sums)
        .where(IndicatorCount.dimension == dimension, IndicatorCount.period.between(first, last))
        .group_by(IndicatorCount.key)
        .order_by(IndicatorCount.key)
        .limit(limit)
    )
    if key is not None:
        query = query.where(IndicatorCount.key == key)
    if after is not None:
        query = query.where(IndicatorCount.key > after)
    rows = (await session.execute(query)).all()
    return [Indicator(dimension, row.key, _counts_of(row)) for row in rows]


def _counts_of(row: Row[Any]) -> Counts:
    return Counts(**{name: int(getattr(row, name)) for name in COUNTERS})


_RECOUNT = """
    WITH facts AS (
      SELECT i.division, i.department_id::text AS department, i.item_code, i.period,
             1 AS contacts,
             (i.state = 'UNINVITED')::int AS uninvited,
             (i.state = 'EXPIRED')::int AS defaults,
             coalesce((r.grade = 'VERY_SATISFIED')::int, 0) AS very_satisfied,
             coalesce((r.grade = 'SATISFIED')::int, 0) AS satisfied,
             coalesce((r.grade = 'BASICALLY_SATISFIED')::int, 0) AS basically_satisfied,
             coalesce((r.grade = 'DISSATISFIED')::int, 0) AS dissatisfied,
             coalesce((r.grade = 'VERY_DISSATISFIED')::int, 0) AS very_dissatisfied,
             (x.id IS NOT NULL)::int AS rectifications,
             coalesce((x.outcome IN ('RECTIFIED', 'EXPLAINED'))::int, 0) AS rectified,
             coalesce((x.outcome IN ('RECTIFIED', 'EXPLAINED') AND x.answered_at < x.rectify_due_at)::int, 0)
               AS rectified_on_time
      FROM invitations i
      LEFT JOIN reviews r ON r.invitation_id = i.id
      LEFT JOIN rectifications x ON x.review_id = r.id
    ), spread AS (
      SELECT 'DIVISION' AS dimension, division AS key, facts.* FROM facts
      UNION ALL SELECT 'DEPARTMENT', department, facts.* FROM facts
      UNION ALL SELECT 'ITEM', item_code, facts.* FROM facts WHERE item_code IS NOT NULL
    ), recounted AS (
      SELECT dimension, key, period, {sums} FROM spread GROUP BY dimension, key, period
    ), kept AS (SELECT dimension, key, period, {names} FROM indicator_counts)
    (TABLE recounted EXCEPT TABLE kept) UNION ALL (TABLE kept EXCEPT TABLE recounted)
    """


async def find_drift(session: AsyncSession) -> Sequence[Row[Any]]:
    """Rows in which the kept counts differ from a recount of everything; empty when all is exact."""
    sums = ", ".join(f"sum({name})::bigint AS {name}" for name in COUNTERS)
    statement = _RECOUNT.format(sums=sums, names=", ".join(COUNTERS))
    return (await session.execute(text(statement))).all()
