"""Departments heard of from identity."""

from sqlalchemy.ext.asyncio import AsyncSession

from acceptance_service.departments.domain import DepartmentState
from acceptance_service.departments.handlers import apply_departments
from service_common.contracts.envelope import CloudEvent
from service_common.contracts.identity import DepartmentChanged
from service_common.messaging import Subscriber


async def on_department_changed(session: AsyncSession, event: CloudEvent[DepartmentChanged]) -> None:
    """Keeps the projection."""
    data = event.data
    state = DepartmentState(
        department_id=data.department_id,
        uscc=data.uscc,
        name=data.name,
        short_name=data.short_name,
        division=data.division,
        parent_id=data.parent_id,
        active=data.active,
        revision=event.revision,
    )
    await apply_departments(session, [state])


SUBSCRIBERS = (
    Subscriber(
        name="acceptance-departments", event=DepartmentChanged, handler=on_department_changed, skip_stale=True
    ),
)
