"""Departments heard of from identity."""

from sqlalchemy.ext.asyncio import AsyncSession

from certificates_service.departments.domain import DepartmentState
from certificates_service.departments.handlers import apply_departments
from service_common.contracts.envelope import CloudEvent
from service_common.contracts.identity import DepartmentChanged
from service_common.messaging import Subscriber


async def on_department_changed(session: AsyncSession, event: CloudEvent[DepartmentChanged]) -> None:
    """Keeps the projection from which issuers' credit codes and names are taken."""
    data = event.data
    state = DepartmentState(
        id=data.department_id,
        uscc=data.uscc,
        name=data.name,
        division=data.division,
        active=data.active,
        revision=event.revision,
    )
    await apply_departments(session, [state])


SUBSCRIBERS = (
    Subscriber(
        name="certificates-departments",
        event=DepartmentChanged,
        handler=on_department_changed,
        skip_stale=True,
    ),
)
