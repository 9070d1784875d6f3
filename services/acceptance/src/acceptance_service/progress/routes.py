"""HTTP of progress without login."""

from fastapi import Request

from acceptance_service.progress import handlers
from acceptance_service.progress.schemas import ProgressBody, ProgressCase, ProgressRead
from service_common.app import Now, Ring, api_router
from service_common.auth import PUBLIC

router = api_router("progress", prefix="/acceptance/v1/progress")


@router.post("", summary="Progress by query number and password", dependencies=[PUBLIC])
async def look_up(*, body: ProgressBody, request: Request, ring: Ring, now: Now) -> ProgressRead:
    """Needs no login. Five wrong tries close a number for a quarter of an hour. Shows no person and no reason."""
    found = await handlers.look_up_progress(
        request.app.state.database, ring, body.query_number, body.query_password, now=now
    )
    return ProgressRead(
        title=found.application.title,
        number=found.application.number,
        status_label=found.application.status.label,
        submitted_at=found.application.submitted_at,
        cases=[
            ProgressCase(
                item_name=one.item_name,
                status=one.status,
                status_label=one.status.label,
                promised_due_on=one.promised_due_on,
            )
            for one in found.cases
        ],
    )
