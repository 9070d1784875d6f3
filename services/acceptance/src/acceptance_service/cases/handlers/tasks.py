"""Use cases of tasks: a step, a consultation of another department, a site check."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from acceptance_service.cases.domain.deadlines import workdays_from
from acceptance_service.cases.domain.rules import (
    NoSuchTask,
    TaskClosed,
    TaskKind,
    TaskStatus,
    need_site_check_staff,
    need_staff_there,
)
from acceptance_service.cases.domain.states import Action, ActionNotPossible, CaseStatus
from acceptance_service.cases.handlers.performing import Act, hold_for_department, perform
from acceptance_service.cases.models import Task
from acceptance_service.cases.repository import hold_dossier
from acceptance_service.departments.handlers import staff_in
from service_common import timeline
from service_common.auth import Caller
from service_common.crypto import KeyRing
from service_common.db import new_id
from service_common.work_calendar import current_calendar

RESULT_COLUMN = "case_tasks.result"


@dataclass(frozen=True)
class TaskInput:
    """A task to open; ``department_id`` is another department's for a consultation, else the case's own."""

    kind: TaskKind
    title: str
    department_id: UUID | None = None
    staff_ids: Sequence[UUID] = field(default_factory=tuple)
    limit_workdays: int | None = None


async def open_task(
    session: AsyncSession, ring: KeyRing, case_id: UUID, given: TaskInput, *, caller: Caller, now: datetime
) -> Task:
    """Opens a task within a review; an accepted case goes into review by it.

    Raises: SiteCheckStaff (行政许可法 Art. 34), StaffNotThere, ActionNotPossible.
    """
    if given.kind is TaskKind.SITE_CHECK:
        need_site_check_staff(given.staff_ids)
    dossier = await hold_for_department(session, case_id, caller)
    case = dossier.case
    elsewhere = given.department_id if given.kind is TaskKind.CONSULTATION else None
    department_id = elsewhere or case.department_id
    if given.staff_ids:
        need_staff_there(given.staff_ids, await staff_in(session, department_id, given.staff_ids))
    if case.status is CaseStatus.ACCEPTED:
        await perform(session, dossier, Action.BEGIN_REVIEW, Act.of(caller, now, ring))
    if case.status not in (CaseStatus.REVIEWING, CaseStatus.SUSPENDED):
        raise ActionNotPossible(status=case.status, status_label=case.status.label, action="OPEN_TASK")
    due = None
    if given.limit_workdays is not None:
        due = workdays_from(now, given.limit_workdays, await current_calendar(session)).due_at
    task = Task(
        id=new_id(),
        case_id=case.id,
        kind=given.kind,
        title=given.title,
        status=TaskStatus.OPEN,
        department_id=department_id,
        staff_ids=[str(one) for one in given.staff_ids],
        opened_by=caller.subject_id,
        opened_at=now,
        limit_workdays=given.limit_workdays,
        due_at=due,
    )
    session.add(task)
    case.sweep_at = now
    await session.flush()
    await timeline.append(
        session,
        case.id,
        "TASK_OPENED",
        actor=caller.actor,
        at=now,
        facts={"task_id": str(task.id), "kind": given.kind.value, "staff": len(task.staff_ids)},
    )
    return task


async def close_task(
    session: AsyncSession,
    ring: KeyRing,
    task_id: UUID,
    result: str | None,
    *,
    caller: Caller,
    now: datetime,
) -> Task:
    """Completes a task with its result, or cancels it without one; by the department that has it.

    Raises: NoSuchTask, TaskClosed.
    """
    task = await session.get(Task, task_id)
    if task is None:
        raise NoSuchTask
    dossier = await hold_dossier(session, task.case_id)
    opener = caller.department_id == dossier.case.department_id
    if caller.department_id is None or not (opener or caller.department_id == task.department_id):
        raise NoSuchTask
    if not opener and result is None:
        raise NoSuchTask  # only who opened it cancels it
    await session.refresh(task)
    if task.status is not TaskStatus.OPEN:
        raise TaskClosed
    task.status = TaskStatus.DONE if result is not None else TaskStatus.CANCELLED
    task.result = ring.encrypt(result, column=RESULT_COLUMN) if result is not None else None
    task.done_by = caller.subject_id
    task.done_at = now
    dossier.case.sweep_at = now
    await session.flush()
    await timeline.append(
        session,
        task.case_id,
        f"TASK_{task.status.value}",
        actor=caller.actor,
        at=now,
        facts={"task_id": str(task.id)},
    )
    return task


async def department_tasks(
    session: AsyncSession, *, caller: Caller, after: UUID | None, limit: int
) -> Sequence[Task]:
    """A page of the open tasks of the caller's department, oldest first."""
    statement = select(Task).where(Task.department_id == caller.department_id, Task.status == TaskStatus.OPEN)
    if after is not None:
        statement = statement.where(Task.id > after)
    return (await session.scalars(statement.order_by(Task.id).limit(limit + 1))).all()
