"""HTTP of applications: from the draft to the receipt, and following it."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request, Response

from acceptance_service.applications.handlers import drafts, materials
from acceptance_service.cases.handlers import intake, review
from acceptance_service.cases.presenting import show_row as show_case_row
from acceptance_service.cases.presenting import show_timeline
from acceptance_service.cases.schemas import CaseRow, TimelineRead
from acceptance_service.files.handlers import sign_link
from acceptance_service.files.routes import Files
from acceptance_service.files.schemas import FileLink
from acceptance_service.numbering.handlers import Serials
from acceptance_service.submissions.handlers import following, prefill, submit
from acceptance_service.submissions.presenting import show_application, show_draft, show_receipt, show_row
from acceptance_service.submissions.schemas import (
    AccessRead,
    ApplicationRead,
    ApplicationRow,
    DraftBody,
    DraftChangeBody,
    DraftRead,
    FormBody,
    MaterialRead,
    PrefillRead,
    ProvisionBody,
    ReceiptRead,
)
from acceptance_service.submissions.scopes import APPLICATIONS_READ, APPLICATIONS_WRITE, HISTORY_READ
from service_common.app import Now, Ring, api_router
from service_common.auth import Caller, require
from service_common.db import Session
from service_common.delegation import Act
from service_common.etag import set_etag
from service_common.idempotency import Once
from service_common.pages import Page, Paging

router = api_router("applications", prefix="/acceptance/v1/applications")
case_router = api_router("applications", prefix="/acceptance/v1/cases")

Reader = Annotated[Caller, require(APPLICATIONS_READ, act=Act.VIEW)]
Writer = Annotated[Caller, require(APPLICATIONS_WRITE, act=Act.SUBMIT)]


async def _serials(request: Request) -> Serials:
    serials: Serials = request.app.state.serials
    return serials


CurrentSerials = Annotated[Serials, Depends(_serials)]


@router.post("", status_code=201, summary="Begin an application")
async def begin(
    *, body: DraftBody, session: Session, now: Now, response: Response, caller: Writer, _once: Once
) -> DraftRead:
    """For oneself, a represented legal person, or as the agent of a delegation. One open application per applicant, subject and division."""
    draft = drafts.DraftInput(
        bundle_code=body.bundle_code,
        item_code=body.item_code,
        division=body.division,
        applicant_kind=body.applicant.kind,
        applicant_id=body.applicant.id,
        answers=body.answers,
        delivery=body.delivery,
        in_addition=body.in_addition,
    )
    application, plan = await drafts.begin_draft(session, draft, caller=caller, now=now)
    set_etag(response, application.version)
    response.headers["Location"] = f"/acceptance/v1/applications/{application.id}"
    return show_draft(application, plan)


@router.get("", summary="My applications")
async def list_applications(*, session: Session, paging: Paging, caller: Reader) -> Page[ApplicationRow]:
    """Of the caller and of the companies they act for, newest first."""
    after = paging.after(UUID)
    rows = await following.list_applications(
        session, caller=caller, after=after[0] if after else None, limit=paging.limit
    )
    return paging.page(rows, lambda row: (row.id,), show_row)


@router.get("/{application_id}", summary="One application")
async def read(
    *, application_id: UUID, session: Session, ring: Ring, response: Response, caller: Reader
) -> ApplicationRead:
    """With form, materials and the state of every case."""
    view = await following.read_application(session, ring, application_id, caller=caller)
    set_etag(response, view.application.version)
    return show_application(view)


@router.patch("/{application_id}", summary="Change a draft")
async def change(
    *,
    application_id: UUID,
    body: DraftChangeBody,
    session: Session,
    response: Response,
    caller: Writer,
) -> DraftRead:
    """Answers, delivery, promises. The plan follows the answers."""
    changed = drafts.DraftChange(body.answers, body.delivery, body.promises, body.tolerance_promised)
    application, plan = await drafts.change_draft(session, application_id, changed, caller=caller)
    set_etag(response, application.version)
    return show_draft(application, plan)


@router.put("/{application_id}/form", summary="Save the form")
async def save_form(
    *,
    application_id: UUID,
    body: FormBody,
    session: Session,
    ring: Ring,
    now: Now,
    response: Response,
    caller: Writer,
) -> ApplicationRow:
    """Validated against the plan's JSON Schema; unknown fields are refused; a draft may be incomplete."""
    application = await drafts.save_form(session, ring, application_id, body.form, caller=caller, now=now)
    set_etag(response, application.version)
    return show_row(application)


@router.put("/{application_id}/materials/{code}", summary="Provide a material")
async def provide_material(
    *,
    application_id: UUID,
    code: str,
    body: ProvisionBody,
    session: Session,
    now: Now,
    port: Files,
    caller: Writer,
) -> MaterialRead:
    """By uploaded files, by a licence or a verified profile value that stands in for it, or by signing its promise.

    All files of one application are bounded too (`ACCEPTANCE_UPLOAD_APPLICATION_FILES`,
    `ACCEPTANCE_UPLOAD_APPLICATION_BYTES`): beyond it 409 `application_files_full`.
    """
    given = materials.ProvisionInput(body.way, body.file_ids, body.licence_id, body.promise)
    row = await materials.provide_material(
        session, application_id, code, given, caller=caller, now=now, quota=port.per_application
    )
    return MaterialRead.of(row)


@router.get("/{application_id}/prefill", summary="What need not be asked again")
async def read_prefill(
    *, application_id: UUID, request: Request, ring: Ring, now: Now, caller: Writer
) -> PrefillRead:
    """Verified values and licences of the applicant. A service that does not answer is named, and never blocks.

    A form with `locked` fields is handed in within 24 hours of this, and says the same in them.
    """
    state = request.app.state
    found = await prefill.prefill_application(
        state.database,
        state.identity,
        state.certificates,
        application_id,
        ring=ring,
        caller=caller,
        now=now,
    )
    return PrefillRead.of(found)


@router.post("/{application_id}/submit", status_code=201, summary="Hand in")
async def submit_(
    *,
    application_id: UUID,
    session: Session,
    ring: Ring,
    now: Now,
    serials: CurrentSerials,
    caller: Writer,
    _once: Once,
) -> ReceiptRead:
    """Everything is checked; one case per item is opened at its department. The query password is shown once.

    What the prefill locked may not be changed (422 `locked_values_changed`), and is fetched within the last 24 hours (409
    `prefill_needed`).
    """
    receipt = await submit.submit_application(session, ring, serials, application_id, caller=caller, now=now)
    return show_receipt(receipt)


@router.post("/{application_id}/withdraw", summary="Take back")
async def withdraw(
    *, application_id: UUID, session: Session, ring: Ring, now: Now, caller: Writer, _once: Once
) -> ApplicationRow:
    """Every case that is not decided; a draft is discarded."""
    application = await following.withdraw_application(session, ring, application_id, caller=caller, now=now)
    return show_row(application)


@router.post("/{application_id}/files/{file_id}/link", summary="A link to an own file")
async def link_to_file(
    *, application_id: UUID, file_id: UUID, session: Session, ring: Ring, now: Now, caller: Reader
) -> FileLink:
    """Opens the file for five minutes without login."""
    await following.own_file(session, ring, application_id, file_id, caller=caller)
    path, expires_at = sign_link(ring, file_id, now=now)
    return FileLink(path=path, expires_at=expires_at)


@router.get("/{application_id}/timeline", summary="The history of an application")
async def read_timeline(
    *, application_id: UUID, session: Session, caller: Annotated[Caller, require(HISTORY_READ, act=Act.VIEW)]
) -> TimelineRead:
    """Every step, with the hash that ties it to the one before."""
    return show_timeline(await following.read_history(session, application_id, caller=caller))


@router.get("/{application_id}/accesses", summary="Who saw my data")
async def list_accesses(
    *, application_id: UUID, session: Session, paging: Paging, caller: Reader
) -> Page[AccessRead]:
    """Every look of a department at the full form or a file, newest first."""
    after = paging.after(UUID)
    rows = await following.read_accesses(
        session, application_id, caller=caller, after=after[0] if after else None, limit=paging.limit
    )
    return paging.page(
        rows,
        lambda row: (row.id,),
        lambda row: AccessRead(
            at=row.at,
            case_id=row.case_id,
            actor_kind=row.actor_kind,
            department_id=row.department_id,
            what=row.what,
        ),
    )


@case_router.post("/{case_id}/resubmit", summary="Send a returned case again")
async def resubmit(
    *, case_id: UUID, session: Session, ring: Ring, now: Now, caller: Writer, _once: Once
) -> CaseRow:
    """With the newest form and materials, after a return or a one-off notice."""
    return show_case_row(await intake.resubmit_case(session, ring, case_id, caller=caller, now=now))


@case_router.post("/{case_id}/withdraw", summary="Take one case back")
async def withdraw_case(
    *, case_id: UUID, session: Session, ring: Ring, now: Now, caller: Writer, _once: Once
) -> CaseRow:
    """As long as it is not decided; the other cases go on."""
    return show_case_row(await review.withdraw_case(session, ring, case_id, caller=caller, now=now))
