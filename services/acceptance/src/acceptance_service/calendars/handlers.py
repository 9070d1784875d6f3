"""Use cases of the work calendar: which one applies, and loading the State Council's notice."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

import structlog
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from acceptance_service.calendars.domain import NoticeKnown, NoticeRefused, missing_years
from acceptance_service.calendars.models import CalendarNotice
from gov_rules import notices
from gov_rules.calendars import WorkCalendar
from gov_rules.notices import NoticeDay, NoticeRejected
from service_common import outbox
from service_common.auth import Caller
from service_common.clock import local_date
from service_common.contracts.acceptance import CalendarChanged
from service_common.work_calendar import current_calendar, forget_calendar, loaded_notices

logger = structlog.get_logger()

# Any constants: the calendar is one aggregate of the platform, and notices are loaded one after the other.
_CALENDAR_ID = UUID("5d0f1d2e-6a0b-5f0c-9a57-2f6f0d7c1a10")
_ONE_AT_A_TIME = 7_210_102


@dataclass(frozen=True)
class NoticeInput:
    """A notice as an operator sends it."""

    year: int
    version: str
    source: str
    amends: bool
    days: Sequence[tuple[date, NoticeDay, str]]

    def for_calendar(self) -> notices.CalendarNotice:
        """Ready to lay over the calendar. Raises: NoticeRejected."""
        return notices.CalendarNotice(
            year=self.year,
            holidays={day: name for day, kind, name in self.days if kind is NoticeDay.HOLIDAY},
            makeup_workdays={day: name for day, kind, name in self.days if kind is NoticeDay.WORKDAY},
            source=self.source,
            version=self.version,
            amends=self.amends,
        )


async def load_notice(
    session: AsyncSession, notice: NoticeInput, *, caller: Caller, now: datetime
) -> WorkCalendar:
    """Lays a notice over the calendar and tells who counts on it.

    Deadlines counted before are counted again by the sweepers, old values kept. Raises: NoticeRefused, NoticeKnown.
    """
    await session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _ONE_AT_A_TIME})
    calendar = await current_calendar(session)
    try:
        renewed = calendar.with_notice(notice.for_calendar())
    except NoticeRejected as rejected:
        raise NoticeRefused.because(rejected) from rejected
    stored = await session.execute(
        insert(CalendarNotice)
        .values(
            version=notice.version,
            year=notice.year,
            source=notice.source,
            amends=notice.amends,
            days=[[day.isoformat(), kind.value, name] for day, kind, name in notice.days],
            loaded_by=caller.subject_id,
            loaded_at=now,
        )
        .on_conflict_do_nothing()
        .returning(CalendarNotice.version)
    )
    if stored.first() is None:
        raise NoticeKnown
    forget_calendar(session)
    await _tell(session, renewed, now=now)
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


@dataclass
class _Calendar:
    """The calendar as others hear of it: each notice is one revision."""

    id: UUID
    revision: int


async def _tell(session: AsyncSession, calendar: WorkCalendar, *, now: datetime) -> None:
    told = await loaded_notices(session)
    before = _Calendar(_CALENDAR_ID, revision=len(told) - 1)
    await outbox.add(
        session, before, CalendarChanged(calendar_version=calendar.version, notices=told), now=now
    )
