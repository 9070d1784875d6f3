"""Use cases of the work calendar: which one applies, and loading the State Council's notice."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

import structlog
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from acceptance_service.calendars.domain import NoticeKnown, NoticeRefused, missing_years
from acceptance_service.calendars.models import CalendarNotice
from gov_rules import notices
from gov_rules.calendars import WorkCalendar, published_calendar
from gov_rules.notices import NoticeDay, NoticeRejected
from service_common.auth import Caller
from service_common.clock import local_date
from service_common.db import transaction_memory

logger = structlog.get_logger()

_built: dict[tuple[str, ...], WorkCalendar] = {}


@dataclass(frozen=True)
class NoticeInput:
    """A notice as an operator sends it."""

    year: int
    version: str
    source: str
    amends: bool
    days: Sequence[tuple[date, NoticeDay, str]]


async def current_calendar(session: AsyncSession) -> WorkCalendar:
    """The published calendar with every loaded notice over it. Built once per set of notices in a process."""
    memory = transaction_memory(session)
    known: WorkCalendar | None = memory.get("work_calendar")
    if known is not None:
        return known
    versions = tuple(await session.scalars(select(CalendarNotice.version).order_by(CalendarNotice.version)))
    calendar = _built.get(versions)
    if calendar is None:
        rows = await session.scalars(select(CalendarNotice))
        calendar = published_calendar().with_notices(_notice_of(row) for row in rows)
        _built.clear()  # older sets never come back
        _built[versions] = calendar
    memory["work_calendar"] = calendar
    return calendar


async def load_notice(
    session: AsyncSession, notice: NoticeInput, *, caller: Caller, now: datetime
) -> WorkCalendar:
    """Lays a notice over the calendar. Deadlines counted before are counted again by the sweeper, old values kept.

    Raises: NoticeRefused, NoticeKnown.
    """
    calendar = await current_calendar(session)
    row = CalendarNotice(
        version=notice.version,
        year=notice.year,
        source=notice.source,
        amends=notice.amends,
        days=[[day.isoformat(), kind.value, name] for day, kind, name in notice.days],
        loaded_by=caller.subject_id,
        loaded_at=now,
    )
    try:
        renewed = calendar.with_notice(_notice_of(row))
    except NoticeRejected as rejected:
        raise NoticeRefused.because(rejected) from rejected
    stored = await session.execute(
        insert(CalendarNotice)
        .values(
            version=row.version,
            year=row.year,
            source=row.source,
            amends=row.amends,
            days=row.days,
            loaded_by=row.loaded_by,
            loaded_at=now,
        )
        .on_conflict_do_nothing()
        .returning(CalendarNotice.version)
    )
    if stored.first() is None:
        raise NoticeKnown
    transaction_memory(session).pop("work_calendar", None)
    logger.info("calendar_notice_loaded", version=notice.version, year=notice.year)
    return renewed


@dataclass(frozen=True)
class CalendarState:
    """The calendar that applies, and the years that are still provisional although deadlines reach them."""

    calendar: WorkCalendar
    missing_years: list[int]
    notices: Sequence[CalendarNotice]


async def read_calendar(session: AsyncSession, *, now: datetime) -> CalendarState:
    """For operators: version, loaded notices, and the alarm about a missing one."""
    calendar = await current_calendar(session)
    rows = (await session.scalars(select(CalendarNotice).order_by(CalendarNotice.version))).all()
    return CalendarState(calendar, missing_years(calendar, local_date(now)), rows)


def _notice_of(row: CalendarNotice) -> notices.CalendarNotice:
    named = [(date.fromisoformat(day), NoticeDay(kind), name) for day, kind, name in row.days]
    return notices.CalendarNotice(
        year=row.year,
        holidays={day: name for day, kind, name in named if kind is NoticeDay.HOLIDAY},
        makeup_workdays={day: name for day, kind, name in named if kind is NoticeDay.WORKDAY},
        source=row.source,
        version=row.version,
        amends=row.amends,
    )
