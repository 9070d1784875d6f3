"""HTTP of the work calendar."""

from typing import Annotated

from fastapi import Path

from acceptance_service.calendars import handlers
from acceptance_service.calendars.schemas import CalendarRead, NoticeBody, NoticeRead
from service_common.app import Now, api_router
from service_common.auth import Caller, require, scope
from service_common.db import Session
from service_common.idempotency import Once

CALENDARS_READ = scope(
    "acceptance:calendars.read",
    zh="查看工作日历",
    en="Read the work calendar",
    roles={"operator", "supervisor", "clerk", "approver", "partner"},
)
CALENDARS_WRITE = scope(
    "acceptance:calendars.write", zh="载入节假日安排", en="Load holiday notices", roles={"operator"}
)

router = api_router("calendars", prefix="/acceptance/v1/calendars")


@router.get("", summary="The work calendar in force")
async def read_calendar(
    *, session: Session, now: Now, _caller: Annotated[Caller, require(CALENDARS_READ)]
) -> CalendarRead:
    """Version, loaded notices, and the years whose notice is missing although deadlines reach them."""
    return _show(await handlers.read_calendar(session, now=now))


@router.post("/{year}", status_code=201, summary="Load a holiday notice")
async def load_notice(
    *,
    year: Annotated[int, Path(ge=2004, le=2099)],
    body: NoticeBody,
    session: Session,
    now: Now,
    caller: Annotated[Caller, require(CALENDARS_WRITE)],
    _once: Once,
) -> CalendarRead:
    """Deadlines counted on the older calendar are counted again within minutes; the old value stays in the timeline."""
    notice = handlers.NoticeInput(
        year=year,
        version=body.version,
        source=body.source,
        amends=body.amends,
        days=[(one.date, one.kind, one.name) for one in body.days],
    )
    await handlers.load_notice(session, notice, caller=caller, now=now)
    return _show(await handlers.read_calendar(session, now=now))


def _show(state: handlers.CalendarState) -> CalendarRead:
    return CalendarRead(
        version=state.calendar.version,
        published_through=max(state.calendar.published_years),
        missing_years=state.missing_years,
        notices=[NoticeRead.model_validate(row) for row in state.notices],
    )
