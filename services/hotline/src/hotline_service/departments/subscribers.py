"""Departments heard of from identity."""

from sqlalchemy.ext.asyncio import AsyncSession

from hotline_service.departments.domain import KnownDepartment
from hotline_service.departments.handlers import keep_department
from service_common.contracts.envelope import CloudEvent
from service_common.contracts.identity import DepartmentChanged
from service_common.messaging import Subscriber


async def on_department_changed(session: AsyncSession, event: CloudEvent[DepartmentChanged]) -> None:
    """Keeps the projection."""
    data = event.data
    await keep_department(
        session,
        KnownDepartment(data.department_id, data.name, data.short_name, data.division, data.active),
    )


SUBSCRIBERS = (
    Subscriber(
        name="hotline-departments", event=DepartmentChanged, handler=on_department_changed, skip_stale=True
    ),
)
