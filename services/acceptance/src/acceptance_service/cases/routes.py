"""HTTP of the department inbox: what a department does with its cases."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Query, Response

from acceptance_service.cases.domain.states import CaseStatus
from acceptance_service.cases.handlers import completing, deciding, intake, reading, review
from acceptance_service.cases.models import Case
from acceptance_service.cases.presenting import show_case, show_row, show_timeline
from acceptance_service.cases.schemas import (
    AcceptBody,
    CaseRead,
    CaseRow,
    CorrectionBody,
    DecisionBody,
    ExtendBody,
    FullFormRead,
    ReasonBody,
    RefusalBody,
    ResumeBody,
    SuspendBody,
    TimelineRead,
)
from acceptance_service.cases.scopes import CASES_DECIDE, CASES_HANDLE, CASES_READ, CASES_READ_FORM
from acceptance_service.files.handlers import sign_link
from acceptance_service.files.schemas import FileLink
from service_common.app import Now, Ring, api_router
from service_common.auth import Caller, require
from service_common.db import Session
from service_common.delegation import Act
from service_common.etag import ExpectedVersion, set_etag
from service_common.idempotency import Once
from service_common.pages import Page, Paging

router = api_router("cases", prefix="/acceptance/v1/cases")

Reader = Annotated[Caller, require(CASES_READ, act=Act.VIEW)]
Handler = Annotated[Caller, require(CASES_HANDLE)]
Decider = Annotated[Caller, require(CASES_DECIDE)]


def _answer(case: Case, response: Response) -> CaseRow:
    set_etag(response, case.version)
    return show_row(case)


@router.get("", summary="The department's inbox")
async def list_cases(
    *,
    session: Session,
    paging: Paging,
    caller: Reader,
    status: Annotated[CaseStatus | None, Query(description="One status; without it, all open cases.")] = None,
) -> Page[CaseRow]:
    """Cases of the caller's department and division only, oldest submission first; personal data is masked."""
    after = paging.after(datetime.fromisoformat, UUID)
    rows = await reading.department_inbox(
        session,
        caller=caller,
        status=status,
        after=(after[0], after[1]) if after else None,
        limit=paging.limit,
    )
    return paging.page(rows, lambda case: (_key_time(case).isoformat(), case.id), show_row)


def _key_time(case: Case) -> datetime:
    assert case.submitted_at is not None, "an inbox holds submitted cases"
    return case.submitted_at


@router.get("/{case_id}", summary="One case")
async def read_case(
    *, case_id: UUID, session: Session, ring: Ring, response: Response, caller: Reader
) -> CaseRead:
    """With documents, tasks and the state of its materials; the ETag is what a decision must rest on."""
    view = await reading.read_case(session, ring, case_id, caller=caller)
    set_etag(response, view.case.version)
    return show_case(view, ring)


@router.get("/{case_id}/form", summary="The applicant's data in full")
async def read_form(
    *,
    case_id: UUID,
    session: Session,
    ring: Ring,
    now: Now,
    caller: Annotated[Caller, require(CASES_READ_FORM)],
) -> FullFormRead:
    """For the case's own department while it is open. Each look is recorded, and the applicant sees the record."""
    full = await reading.read_full_form(session, ring, case_id, caller=caller, now=now)
    return FullFormRead(
        form=full.form, applicant=full.applicant, unverified=full.unverified, answers=full.answers
    )


@router.post("/{case_id}/files/{file_id}/link", summary="A link to a file of the case")
async def link_to_file(
    *,
    case_id: UUID,
    file_id: UUID,
    session: Session,
    ring: Ring,
    now: Now,
    caller: Annotated[Caller, require(CASES_READ_FORM)],
) -> FileLink:
    """Opens a material's file for five minutes; recorded like a look at the form."""
    await reading.case_file(session, ring, case_id, file_id, caller=caller, now=now)
    path, expires_at = sign_link(ring, file_id, now=now)
    return FileLink(path=path, expires_at=expires_at)


@router.get("/{case_id}/timeline", summary="The history of a case")
async def read_timeline(*, case_id: UUID, session: Session, caller: Reader) -> TimelineRead:
    """Every step since submission, with the hash that ties it to the one before."""
    return show_timeline(await reading.read_timeline(session, case_id, caller=caller))


@router.post("/{case_id}/claim", summary="Take a case")
async def claim(
    *, case_id: UUID, session: Session, now: Now, response: Response, caller: Handler, _once: Once
) -> CaseRow:
    """Colleagues cannot act on it until it is released."""
    return _answer(await intake.claim_case(session, case_id, caller=caller, now=now), response)


@router.post("/{case_id}/release", summary="Put a case back")
async def release(
    *, case_id: UUID, session: Session, now: Now, response: Response, caller: Handler, _once: Once
) -> CaseRow:
    """By who took it; an approver may also release a colleague's."""
    return _answer(await intake.release_claim(session, case_id, caller=caller, now=now), response)


@router.post("/{case_id}/return", summary="Return in pre-check 退回修改")
async def return_(
    *,
    case_id: UUID,
    body: ReasonBody,
    session: Session,
    ring: Ring,
    now: Now,
    response: Response,
    caller: Handler,
    _once: Once,
) -> CaseRow:
    """The five-day timer of Art. 32 goes on: nobody can be returned for ever."""
    case = await intake.return_case(session, ring, case_id, body.reasons, caller=caller, now=now)
    return _answer(case, response)


@router.post("/{case_id}/receive", summary="Receive 收件")
async def receive(
    *, case_id: UUID, session: Session, ring: Ring, now: Now, response: Response, caller: Handler, _once: Once
) -> CaseRow:
    """Takes the materials and issues the receipt."""
    return _answer(await intake.receive_case(session, ring, case_id, caller=caller, now=now), response)


@router.post("/{case_id}/request-correction", summary="One-off notice 一次性告知补正")
async def request_correction(
    *,
    case_id: UUID,
    body: CorrectionBody,
    session: Session,
    ring: Ring,
    now: Now,
    response: Response,
    caller: Handler,
    _once: Once,
) -> CaseRow:
    """Everything that is missing, at once; a second notice for the same case is refused (Art. 32)."""
    missing = [intake.Missing(one.code, one.reason) for one in body.missing]
    case = await intake.request_correction(session, ring, case_id, missing, caller=caller, now=now)
    return _answer(case, response)


@router.post("/{case_id}/accept", summary="Accept 受理")
async def accept(
    *,
    case_id: UUID,
    body: AcceptBody,
    session: Session,
    ring: Ring,
    now: Now,
    response: Response,
    caller: Handler,
    _once: Once,
) -> CaseRow:
    """Complete, with tolerated gaps (`TOLERANCE` 容缺), or on a promise (`PROMISE` 告知承诺). The clocks start."""
    given = intake.AcceptInput(body.mode, body.supplement_workdays)
    return _answer(await intake.accept_case(session, ring, case_id, given, caller=caller, now=now), response)


@router.post("/{case_id}/not-accept", summary="Not accept 不予受理")
async def not_accept(
    *,
    case_id: UUID,
    body: RefusalBody,
    session: Session,
    ring: Ring,
    now: Now,
    response: Response,
    caller: Handler,
    _once: Once,
) -> CaseRow:
    """In writing, with reasons and remedies; names the right organ when it is another one (Art. 32)."""
    refusal = intake.Refusal(body.reasons, body.remedies, body.competent_organ)
    case = await intake.refuse_acceptance(session, ring, case_id, refusal, caller=caller, now=now)
    return _answer(case, response)


@router.post("/{case_id}/review", summary="Begin the review 审查")
async def begin_review(
    *, case_id: UUID, session: Session, ring: Ring, now: Now, response: Response, caller: Handler, _once: Once
) -> CaseRow:
    """Opening a task begins it too."""
    return _answer(await review.begin_review(session, ring, case_id, caller=caller, now=now), response)


@router.post("/{case_id}/suspend", summary="Special procedure 特别程序")
async def suspend(
    *,
    case_id: UUID,
    body: SuspendBody,
    session: Session,
    ring: Ring,
    now: Now,
    response: Response,
    caller: Decider,
    _once: Once,
) -> CaseRow:
    """Stops the clock; the applicant is told in writing for how long (Art. 45)."""
    case = await review.suspend_case(
        session,
        ring,
        case_id,
        body.procedure,
        reason=body.reason,
        planned_workdays=body.planned_workdays,
        caller=caller,
        now=now,
    )
    return _answer(case, response)


@router.post("/{case_id}/resume", summary="End of the special procedure")
async def resume(
    *,
    case_id: UUID,
    body: ResumeBody,
    session: Session,
    ring: Ring,
    now: Now,
    response: Response,
    caller: Decider,
    _once: Once,
) -> CaseRow:
    """The clock runs again; the days in between do not count."""
    case = await review.resume_case(session, ring, case_id, body.result, caller=caller, now=now)
    return _answer(case, response)


@router.post("/{case_id}/extend", summary="Extend the limit 延期")
async def extend(
    *,
    case_id: UUID,
    body: ExtendBody,
    session: Session,
    ring: Ring,
    now: Now,
    response: Response,
    caller: Decider,
    _once: Once,
) -> CaseRow:
    """Once, by at most 10 working days, 15 joint; the applicant is told the reasons (Art. 42)."""
    case = await review.extend_case(
        session, ring, case_id, body.workdays, body.reasons, caller=caller, now=now
    )
    return _answer(case, response)


@router.post("/{case_id}/decide", summary="Decide 准予 / 不予")
async def decide(
    *,
    case_id: UUID,
    body: DecisionBody,
    expected: ExpectedVersion,
    session: Session,
    ring: Ring,
    now: Now,
    response: Response,
    caller: Decider,
    _once: Once,
) -> CaseRow:
    """Rests on the version that was read (`If-Match`). Where the item asks for four eyes, a second person confirms."""
    decision = deciding.DecisionInput(body.outcome, intake.Refusal(body.reasons, body.remedies))
    case = await deciding.decide_case(
        session, ring, case_id, decision, expected_version=expected, caller=caller, now=now
    )
    return _answer(case, response)


@router.post("/{case_id}/withdraw-opinion", summary="Take back a first opinion")
async def withdraw_opinion(
    *, case_id: UUID, session: Session, now: Now, response: Response, caller: Decider, _once: Once
) -> CaseRow:
    """So that two approvers who differ can look at it afresh."""
    return _answer(await deciding.withdraw_opinion(session, case_id, caller=caller, now=now), response)


@router.post("/{case_id}/terminate", summary="Terminate 终止")
async def terminate(
    *,
    case_id: UUID,
    body: ReasonBody,
    session: Session,
    ring: Ring,
    now: Now,
    response: Response,
    caller: Decider,
    _once: Once,
) -> CaseRow:
    """The object of the case is gone."""
    case = await review.terminate_case(session, ring, case_id, body.reasons, caller=caller, now=now)
    return _answer(case, response)


@router.post("/{case_id}/deliver", summary="Hand over the result 送达")
async def deliver(
    *, case_id: UUID, session: Session, ring: Ring, now: Now, response: Response, caller: Handler, _once: Once
) -> CaseRow:
    """For window and courier; electronic results are delivered by themselves."""
    return _answer(await completing.deliver_case(session, ring, case_id, caller=caller, now=now), response)


@router.post("/{case_id}/finish", summary="Finish 办结")
async def finish(
    *, case_id: UUID, session: Session, ring: Ring, now: Now, response: Response, caller: Handler, _once: Once
) -> CaseRow:
    """The applicant has the result."""
    return _answer(await completing.finish_case(session, ring, case_id, caller=caller, now=now), response)
