"""Running limits, counted again when a holiday notice was loaded."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from evaluation_service.rectifications.domain import RUNNING, Deadlines, RectificationLimits
from evaluation_service.rectifications.handlers.opening import set_deadlines
from evaluation_service.rectifications.models import Rectification
from service_common import timeline
from service_common.tables import timeline_entries
from service_common.timeline import SYSTEM
from service_common.work_calendar import current_calendar

_BATCH = 50


async def recount_deadlines(session: AsyncSession, *, now: datetime) -> int:
    """Counts a batch of rectifications that wait for the department again; the old limits stay in their histories.

    A mark of lateness that the new limit contradicts is taken back. Returns how many were counted on an older calendar.
    """
    calendar = await current_calendar(session)
    rows = await session.scalars(
        select(Rectification)
        .where(Rectification.stage.in_(RUNNING), Rectification.calendar_version != calendar.version)
        .order_by(Rectification.id)
        .limit(_BATCH)
        .with_for_update(skip_locked=True)
    )
    counted = 0
    for row in rows.all():
        old = _dates(row)
        due = Deadlines.count(RectificationLimits(*row.limit_workdays), row.opened_at, calendar)
        set_deadlines(row, due)
        facts = {"old": old, "new": _dates(row)}
        await timeline.append(session, row.id, "deadlines_recounted", actor=SYSTEM, at=now, facts=facts)
        running = due.of(row.stage)
        if row.overdue_stage is row.stage and running is not None and now < running.due_at:
            row.overdue_stage = None
            row.overdue = await _was_late_before(session, row)
        counted += 1
    await session.flush()
    return counted


async def _was_late_before(session: AsyncSession, row: Rectification) -> bool:
    """Whether an earlier stage was late: the column holds the last one alone, the history all."""
    entry = timeline_entries.c
    earlier = await session.scalar(
        select(func.count())
        .select_from(timeline_entries)
        .where(
            entry.aggregate_id == row.id,
            entry.action == "overdue",
            entry.facts["stage"].as_string() != row.stage.value,
        )
    )
    return bool(earlier)


def _dates(row: Rectification) -> dict[str, str]:
    return {
        "assign_due_at": row.assign_due_at.isoformat(),
        "contact_due_at": row.contact_due_at.isoformat(),
        "rectify_due_at": row.rectify_due_at.isoformat(),
        "calendar": row.calendar_version,
    }
