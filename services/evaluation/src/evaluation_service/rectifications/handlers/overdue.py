"""Missed limits, marked by the sweeper."""

from datetime import datetime

from sqlalchemy import and_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from evaluation_service.rectifications.domain import Stage
from evaluation_service.rectifications.models import Rectification
from service_common import timeline
from service_common.timeline import SYSTEM

_BATCH = 200

_LATE = (
    (Stage.OPENED, Rectification.assign_due_at),
    (Stage.ASSIGNED, Rectification.contact_due_at),
    (Stage.CONTACTED, Rectification.rectify_due_at),
)


async def mark_overdue(session: AsyncSession, *, now: datetime) -> int:
    """Marks a batch of rectifications whose step is late, once for each stage. Returns how many.

    The version stays: a mark of the system must not refuse the decision that somebody is just making.
    """
    late = or_(
        *(
            and_(
                Rectification.stage == stage, due <= now, Rectification.overdue_stage.is_distinct_from(stage)
            )
            for stage, due in _LATE
        )
    )
    rows = (
        await session.execute(
            select(Rectification.id, Rectification.stage)
            .where(late)
            .order_by(Rectification.id)
            .limit(_BATCH)
            .with_for_update(skip_locked=True)
        )
    ).all()
    for row in rows:
        await session.execute(
            update(Rectification)
            .where(Rectification.id == row.id)
            .values(overdue=True, overdue_stage=row.stage)
            .execution_options(synchronize_session=False)
        )
        await timeline.append(
            session, row.id, "overdue", actor=SYSTEM, at=now, facts={"stage": row.stage.value}
        )
    return len(rows)
