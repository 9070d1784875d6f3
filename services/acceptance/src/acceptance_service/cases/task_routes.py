"""HTTP of tasks."""

from typing import Annotated
from uuid import UUID

from acceptance_service.cases.handlers import tasks
from acceptance_service.cases.presenting import show_task
from acceptance_service.cases.schemas import TaskBody, TaskRead, TaskResultBody
from acceptance_service.cases.scopes import CASES_HANDLE
from service_common.app import Now, Ring, api_router
from service_common.auth import Caller, require
from service_common.db import Session
from service_common.idempotency import Once
from service_common.pages import Page, Paging

router = api_router("tasks", prefix="/acceptance/v1")

Handler = Annotated[Caller, require(CASES_HANDLE)]


@router.get("/tasks", summary="Open tasks of the department")
async def list_tasks(*, session: Session, ring: Ring, paging: Paging, caller: Handler) -> Page[TaskRead]:
    """Its own steps and site checks, and consultations that others ask of it; oldest first."""
    after = paging.after(UUID)
    rows = await tasks.department_tasks(
        session, caller=caller, after=after[0] if after else None, limit=paging.limit
    )
    return paging.page(rows, lambda task: (task.id,), lambda task: show_task(task, ring))


@router.post("/cases/{case_id}/tasks", status_code=201, summary="Open a task")
async def open_task(
    *, case_id: UUID, body: TaskBody, session: Session, ring: Ring, now: Now, caller: Handler, _once: Once
) -> TaskRead:
    """A step, a consultation of another department, or a site check by two or more staff (行政许可法 Art. 34)."""
    given = tasks.TaskInput(body.kind, body.title, body.department_id, body.staff_ids, body.limit_workdays)
    return show_task(await tasks.open_task(session, ring, case_id, given, caller=caller, now=now), ring)


@router.post("/tasks/{task_id}/complete", summary="Complete a task")
async def complete_task(
    *,
    task_id: UUID,
    body: TaskResultBody,
    session: Session,
    ring: Ring,
    now: Now,
    caller: Handler,
    _once: Once,
) -> TaskRead:
    """With its result; by the department that has it."""
    return show_task(
        await tasks.close_task(session, ring, task_id, body.result, caller=caller, now=now), ring
    )


@router.post("/tasks/{task_id}/cancel", summary="Cancel a task")
async def cancel_task(
    *, task_id: UUID, session: Session, ring: Ring, now: Now, caller: Handler, _once: Once
) -> TaskRead:
    """By the department that opened it."""
    return show_task(await tasks.close_task(session, ring, task_id, None, caller=caller, now=now), ring)
