"""The work calendar as a service knows it: the published one, and the holiday notices loaded over it.

Acceptance loads the notices and tells of them; who counts working days keeps what it heard. For services that have
``gov_rules`` alone.
"""

from collections.abc import Sequence
from datetime import date
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Row, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from gov_rules.calendars import WorkCalendar, published_calendar
from gov_rules.notices import CalendarNotice, NoticeDay
from service_common.contracts.acceptance import CalendarChanged, LoadedNotice, NamedDay
from service_common.contracts.envelope import CloudEvent
from service_common.db import transaction_memory
from service_common.messaging import Subscriber
from service_common.tables import calendar_notices

_MEMORY = "work_calendar"

# The newest calendar that each database gave: building one takes longer than counting on it.
_built: WeakKeyDictionary[Any, tuple[tuple[str, ...], WorkCalendar]] = WeakKeyDictionary()


async def current_calendar(session: AsyncSession) -> WorkCalendar:
    """The published calendar with every loaded notice over it. Built once per set of notices in a process."""
    memory = transaction_memory(session)
    known: WorkCalendar | None = memory.get(_MEMORY)
    if known is not None:
        return known
    versions = tuple(
        await session.scalars(select(calendar_notices.c.version).order_by(calendar_notices.c.version))
    )
    engine = session.get_bind().engine
    built_of, calendar = _built.get(engine, ((), published_calendar()))
    if built_of != versions:
        calendar = published_calendar().with_notices(_notice_of(row) for row in await _rows(session))
        _built[engine] = (versions, calendar)
    memory[_MEMORY] = calendar
    return calendar


def forget_calendar(session: AsyncSession) -> None:
    """After the running transaction has changed the notices."""
    transaction_memory(session).pop(_MEMORY, None)


async def loaded_notices(session: AsyncSession) -> list[LoadedNotice]:
    """Every notice, as others are told of it."""
    return [
        LoadedNotice(
            version=row.version,
            year=row.year,
            source=row.source,
            amends=row.amends,
            days=[
                NamedDay(
                    day=date.fromisoformat(day), is_workday=NoticeDay(kind) is NoticeDay.WORKDAY, name=name
                )
                for day, kind, name in row.days
            ],
        )
        for row in await _rows(session)
    ]


async def on_calendar_changed(session: AsyncSession, event: CloudEvent[CalendarChanged]) -> None:
    """Keeps the notices that are new here. Deadlines are counted again by the service's sweeper."""
    for notice in event.data.notices:
        await session.execute(
            insert(calendar_notices)
            .values(
                version=notice.version,
                year=notice.year,
                source=notice.source,
                amends=notice.amends,
                days=[[one.day.isoformat(), _kind_of(one).value, one.name] for one in notice.days],
            )
            .on_conflict_do_nothing()
        )
    forget_calendar(session)


def calendar_subscriber(service: str) -> Subscriber[CalendarChanged]:
    """Listens to the calendar for a service that keeps ``calendar_notices``."""
    return Subscriber(
        name=f"{service}-calendar", event=CalendarChanged, handler=on_calendar_changed, skip_stale=True
    )


def _kind_of(named: NamedDay) -> NoticeDay:
    return NoticeDay.WORKDAY if named.is_workday else NoticeDay.HOLIDAY


async def _rows(session: AsyncSession) -> Sequence[Row[Any]]:
    return (await session.execute(select(calendar_notices).order_by(calendar_notices.c.version))).all()


def _notice_of(row: Row[Any]) -> CalendarNotice:
    named = [(date.fromisoformat(day), NoticeDay(kind), name) for day, kind, name in row.days]
    return CalendarNotice(
        year=row.year,
        holidays={day: name for day, kind, name in named if kind is NoticeDay.HOLIDAY},
        makeup_workdays={day: name for day, kind, name in named if kind is NoticeDay.WORKDAY},
        source=row.source,
        version=row.version,
        amends=row.amends,
    )
