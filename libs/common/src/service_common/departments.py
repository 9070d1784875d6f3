"""What a service knows of identity's departments and staff: projections, kept by events that carry the whole state.

The service owns the table ``departments`` and decides which columns it needs; those that are there are kept.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from service_common.contracts.envelope import CloudEvent
from service_common.contracts.identity import DepartmentChanged, StaffChanged
from service_common.messaging import Subscriber


@dataclass(frozen=True, slots=True)
class DepartmentState:
    """The whole state of a department at one revision, from an event or a snapshot of identity."""

    id: UUID
    uscc: str
    name: str
    division: str
    active: bool = True
    revision: int = 0
    short_name: str = ""
    parent_id: UUID | None = None


async def keep_departments(
    session: AsyncSession, model: type[Any], states: Sequence[DepartmentState]
) -> None:
    """Takes over what identity says, unless something newer is known already.

    The same revision is written again, so that a rebuild mends a row that was damaged. A projection without revisions
    hears of events alone, and there older ones are skipped before they come here.
    """
    if not states:
        return
    table = model.__table__
    kept = [one.name for one in fields(DepartmentState) if one.name in table.c]
    statement = insert(table).values([{name: getattr(one, name) for name in kept} for one in states])
    newer = {name: statement.excluded[name] for name in kept if name != "id"}
    in_order = table.c.revision <= statement.excluded.revision if "revision" in kept else None
    await session.execute(statement.on_conflict_do_update(index_elements=["id"], set_=newer, where=in_order))


@dataclass(frozen=True, slots=True)
class StaffState:
    """Where a staff member is assigned, at one revision. No name, no roles: those stand in tokens."""

    id: UUID
    department_id: UUID
    active: bool
    revision: int


async def keep_staff(session: AsyncSession, model: type[Any], states: Sequence[StaffState]) -> None:
    """Takes over what identity says, unless something newer is known already."""
    if not states:
        return
    table = model.__table__
    statement = insert(table).values([asdict(one) for one in states])
    newer = {name: statement.excluded[name] for name in ("department_id", "active", "revision")}
    await session.execute(
        statement.on_conflict_do_update(
            index_elements=["id"], set_=newer, where=table.c.revision <= statement.excluded.revision
        )
    )


def staff_subscriber(service: str, model: type[Any]) -> Subscriber[StaffChanged]:
    """Keeps the projection of a service as identity tells of staff."""

    async def on_staff_changed(session: AsyncSession, event: CloudEvent[StaffChanged]) -> None:
        facts = event.data
        state = StaffState(facts.staff_id, facts.department_id, facts.active, event.revision)
        await keep_staff(session, model, [state])

    return Subscriber(name=f"{service}-staff", event=StaffChanged, handler=on_staff_changed, skip_stale=True)


def departments_subscriber(service: str, model: type[Any]) -> Subscriber[DepartmentChanged]:
    """Keeps the projection of a service as identity tells of departments."""

    async def on_department_changed(session: AsyncSession, event: CloudEvent[DepartmentChanged]) -> None:
        facts = event.data.model_dump()
        state = DepartmentState(id=facts.pop("department_id"), revision=event.revision, **facts)
        await keep_departments(session, model, [state])

    return Subscriber(
        name=f"{service}-departments",
        event=DepartmentChanged,
        handler=on_department_changed,
        skip_stale=True,
    )
