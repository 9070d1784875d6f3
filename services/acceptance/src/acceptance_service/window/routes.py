"""HTTP of the window 一窗受理: a clerk takes in an application for somebody who stands there."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request, Response

from acceptance_service.applications.handlers import drafts
from acceptance_service.applications.handlers.drafts import DraftChange
from acceptance_service.applications.handlers.materials import ProvisionInput
from acceptance_service.cases.presenting import show_row as show_case_row
from acceptance_service.cases.schemas import CaseRow
from acceptance_service.files.routes import Files
from acceptance_service.submissions.handlers.prefill import prefill_application
from acceptance_service.submissions.presenting import show_application, show_draft, show_receipt, show_row
from acceptance_service.submissions.routes import CurrentSerials
from acceptance_service.submissions.schemas import (
    ApplicationRead,
    ApplicationRow,
    DraftRead,
    FormBody,
    MaterialRead,
    PrefillRead,
    ProvisionBody,
    ReceiptRead,
)
from acceptance_service.window.handlers import opening, serving
from acceptance_service.window.handlers.opening import Seat
from acceptance_service.window.schemas import (
    NoticeRead,
    SatDown,
    SittingBody,
    WindowChangeBody,
    WindowDraftBody,
    WindowDraftRead,
)
from service_common.app import Now, Ring, api_router
from service_common.auth import Caller, require, scope
from service_common.db import Session
from service_common.etag import set_etag
from service_common.idempotency import Once
from service_common.pages import Page, Paging
from service_common.problem import language_of
from service_common.tokens import TokenVerifier

router = api_router("window", prefix="/acceptance/v1/window")

WINDOW_INTAKE = scope(
    "acceptance:window.intake",
    zh="在窗口为到场申请人受理申请",
    en="Take in applications for people at the window",
    roles={"clerk"},
)
Clerk = Annotated[Caller, require(WINDOW_INTAKE)]


async def _verifier(request: Request) -> TokenVerifier:
    verifier: TokenVerifier = request.app.state.token_verifier
    return verifier


async def _length(request: Request) -> timedelta:
    return timedelta(minutes=request.app.state.settings.window_sitting_minutes)


async def _seat(application_id: UUID, session: Session, now: Now, clerk: Clerk) -> Seat:
    return await opening.seat_of(session, application_id, clerk=clerk, now=now)


Proofs = Annotated[TokenVerifier, Depends(_verifier)]
Length = Annotated[timedelta, Depends(_length)]
Sitting = Annotated[Seat, Depends(_seat)]


@router.post("/applications", status_code=201, summary="Begin at the window 窗口收件")
async def begin(
    *,
    body: WindowDraftBody,
    session: Session,
    now: Now,
    proofs: Proofs,
    length: Length,
    response: Response,
    clerk: Clerk,
    _once: Once,
) -> WindowDraftRead:
    """For who is there, by the proof of their presence at this department's counter, which is used up.

    The applicant has it in the own lists at once, and may go on online; the hall acts on it while the sitting lasts.
    """
    presence = await proofs.read_presence(body.presence, now=now)
    application, plan, sitting = await opening.begin_at_window(
        session, presence, body.wish(), clerk=clerk, length=length, now=now
    )
    set_etag(response, application.version)
    response.headers["Location"] = f"/acceptance/v1/window/applications/{application.id}"
    return WindowDraftRead.begun(application, plan, sitting)


@router.post("/sittings", status_code=201, summary="Go on with an application at the window 窗口续办")
async def sit_down_again(
    *,
    body: SittingBody,
    session: Session,
    now: Now,
    proofs: Proofs,
    length: Length,
    clerk: Clerk,
    _once: Once,
) -> SatDown:
    """A new proof of presence for an application of who is there, to correct or complete it; begun online or at a window."""
    presence = await proofs.read_presence(body.presence, now=now)
    application, sitting = await opening.sit_down_again(
        session, presence, body.which(), clerk=clerk, length=length, now=now
    )
    return SatDown.of(application, sitting)


@router.get("/applications", summary="Taken in at my hall 本窗口收件")
async def list_taken_in(*, session: Session, paging: Paging, clerk: Clerk) -> Page[ApplicationRow]:
    """What the clerk's own department took in or helped with in its division, newest first; without what was entered."""
    after = paging.after(UUID)
    rows = await opening.list_taken_in(
        session, clerk=clerk, after=after[0] if after else None, limit=paging.limit
    )
    return paging.page(rows, lambda row: (row.id,), show_row)


@router.get("/applications/{application_id}", summary="One application at the window")
async def read(
    *, session: Session, ring: Ring, now: Now, response: Response, seat: Sitting
) -> ApplicationRead:
    """With everything that was entered, while the sitting lasts; the applicant reads who has looked."""
    view = await serving.read_at_window(session, ring, seat, now=now)
    set_etag(response, view.application.version)
    return show_application(view)


@router.patch("/applications/{application_id}", summary="Change a draft at the window")
async def change(
    *,
    body: WindowChangeBody,
    session: Session,
    now: Now,
    port: Files,
    response: Response,
    seat: Sitting,
) -> DraftRead:
    """Answers, delivery, promises. A promise is signed by the applicant: with the file of the paper, `signed_paper`."""
    draft = DraftChange(body.answers, body.delivery, body.promises, body.tolerance_promised)
    application, plan = await serving.change_at_window(
        session,
        seat,
        serving.WindowChange(draft, body.signed_paper),
        quota=port.per_application,
        now=now,
    )
    set_etag(response, application.version)
    return show_draft(application, plan)


@router.put("/applications/{application_id}/form", summary="Save the form at the window")
async def save_form(
    *,
    application_id: UUID,
    body: FormBody,
    session: Session,
    ring: Ring,
    now: Now,
    response: Response,
    seat: Sitting,
) -> ApplicationRow:
    """As the applicant would; validated in the same way."""
    application = await drafts.save_form(
        session, ring, application_id, body.form, caller=seat.applicant, now=now
    )
    set_etag(response, application.version)
    return show_row(application)


@router.put("/applications/{application_id}/materials/{code}", summary="Provide a material at the window")
async def provide_material(
    *,
    code: str,
    body: ProvisionBody,
    session: Session,
    now: Now,
    port: Files,
    seat: Sitting,
) -> MaterialRead:
    """By files that the clerk has scanned and uploaded, or as online by a licence, a verified value, a promise signed on paper."""
    given = ProvisionInput(body.way, body.file_ids, body.licence_id, body.promise)
    row = await serving.provide_at_window(session, seat, code, given, quota=port.per_application, now=now)
    return MaterialRead.of(row)


@router.get("/applications/{application_id}/prefill", summary="What the applicant need not tell")
async def read_prefill(
    *, application_id: UUID, request: Request, ring: Ring, now: Now, clerk: Clerk
) -> PrefillRead:
    """Verified values and licences of the applicant. Who was asked stands in the applicant's own log, with the hall's department."""
    state = request.app.state
    async with state.database.sessions() as session:  # closed again before a peer is asked
        seat = await opening.seat_of(session, application_id, clerk=clerk, now=now)
    found = await prefill_application(
        state.database,
        state.identity,
        state.certificates,
        application_id,
        ring=ring,
        caller=seat.applicant,
        now=now,
        window=seat.window,
    )
    return PrefillRead.of(found)


@router.post(
    "/applications/{application_id}/notices", status_code=201, summary="Say what is lacking 一次性告知"
)
async def tell_what_lacks(
    *,
    request: Request,
    session: Session,
    ring: Ring,
    now: Now,
    _clerk: Clerk,
    _once: Once,
    seat: Sitting,
) -> NoticeRead:
    """Everything that is missing or wrong in a draft, at once, to print and hand over; it stands in the history."""
    problems = await serving.tell_what_lacks(session, ring, seat, now=now)
    return NoticeRead.of(problems, language=language_of(request), told_at=now)


@router.post(
    "/applications/{application_id}/submit", status_code=201, summary="Hand in at the window 窗口受理"
)
async def submit(
    *,
    session: Session,
    ring: Ring,
    now: Now,
    serials: CurrentSerials,
    _clerk: Clerk,
    _once: Once,
    seat: Sitting,
) -> ReceiptRead:
    """The same checks, clocks and events as online. The receipt is printed for the applicant 收件凭证; the sitting ends."""
    return show_receipt(await serving.submit_at_window(session, ring, serials, seat, now=now))


@router.post("/applications/{application_id}/withdraw", summary="Take back at the window")
async def withdraw(
    *, session: Session, ring: Ring, now: Now, _clerk: Clerk, _once: Once, seat: Sitting
) -> ApplicationRow:
    """Every case that is not decided; a draft is discarded. The sitting ends."""
    return show_row(await serving.withdraw_at_window(session, ring, seat, now=now))


@router.post(
    "/applications/{application_id}/cases/{case_id}/resubmit",
    summary="Send a returned case again at the window",
)
async def resubmit(
    *, case_id: UUID, session: Session, ring: Ring, now: Now, _clerk: Clerk, _once: Once, seat: Sitting
) -> CaseRow:
    """With what the applicant has brought, after a return or a one-off notice."""
    return show_case_row(await serving.resubmit_at_window(session, ring, seat, case_id, now=now))
