"""HTTP of licences: issuing, the holder's list, decisions of the issuing department."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from certificates_service.licences.domain import Action
from certificates_service.licences.handlers import change, issue, read
from certificates_service.licences.handlers.issue import Desk
from certificates_service.licences.models import Licence
from certificates_service.licences.schemas import (
    BatchRead,
    DocumentRead,
    HistoryRead,
    LicenceBatch,
    LicenceContent,
    LicenceDetail,
    LicenceOrder,
    LicenceRead,
    StatusChange,
)
from certificates_service.settings import Settings
from service_common.app import Now, Ring, api_router
from service_common.auth import Caller, require, scope
from service_common.db import Session
from service_common.delegation import Act
from service_common.etag import ExpectedVersion, set_etag
from service_common.idempotency import Once
from service_common.pages import Page, Paging

LICENCES_ISSUE = scope(
    "certificates:licences.issue",
    zh="签发电子证照",
    en="Issue licences",
    roles={"service", "partner", "approver"},
)
LICENCES_READ = scope(
    "certificates:licences.read",
    zh="查看本人、所代表法人或本部门签发的电子证照",
    en="Read licences held or issued",
    roles={"citizen", "approver", "partner"},
)
LICENCES_MANAGE = scope(
    "certificates:licences.manage",
    zh="暂扣、发还、撤销、吊销、注销本部门签发的电子证照",
    en="Suspend, give back, revoke, withdraw, cancel licences",
    roles={"approver", "partner"},
)

router = api_router("licences", prefix="/certificates/v1/licences")


async def _desk(request: Request, ring: Ring) -> Desk:
    settings: Settings = request.app.state.settings
    return Desk(ring, settings.licence_issuer)


IssueDesk = Annotated[Desk, Depends(_desk)]


@router.post(
    "",
    status_code=201,
    summary="Issue a licence",
    responses={200: {"model": LicenceRead, "description": "The case has this licence already: here it is."}},
)
async def issue_licence(
    *,
    caller: Annotated[Caller, require(LICENCES_ISSUE)],
    _once: Once,
    session: Session,
    now: Now,
    desk: IssueDesk,
    body: LicenceOrder,
    response: Response,
) -> LicenceRead:
    """By the department itself, or by a service of the platform for a decided case; the type says which departments are
    competent. One case has one licence: the same
    order again is answered with it, another one is a conflict.
    """
    licence, issued = await issue.issue_licence(session, desk, body.order, caller=caller, now=now)
    response.status_code = 201 if issued else 200
    return _show(response, licence, LicenceRead.of(licence, now))


@router.post("/batches", status_code=201, summary="Issue up to 500 licences at once")
async def issue_batch(
    *,
    caller: Annotated[Caller, require(LICENCES_ISSUE)],
    _once: Once,
    session: Session,
    now: Now,
    desk: IssueDesk,
    body: LicenceBatch,
) -> BatchRead:
    """A department's initial stock: all rows or none; `errors` points at every bad row."""
    orders = [row.order for row in body.licences]
    licences = await issue.issue_batch(session, desk, orders, caller=caller, now=now)
    return BatchRead(licences=[LicenceRead.of(one, now) for one in licences])


@router.get("", summary="Licences that I hold or whose holder I act for")
async def list_licences(
    *,
    caller: Annotated[Caller, require(LICENCES_READ, act=Act.VIEW)],
    session: Session,
    now: Now,
    paging: Paging,
    holder_id: Annotated[UUID | None, Query(description="One of the holders only.")] = None,
    type_code: Annotated[str | None, Query(max_length=21)] = None,
) -> Page[LicenceRead]:
    """Newest first, every version and status."""
    after = paging.after(UUID)
    rows = await read.list_own_licences(
        session,
        caller=caller,
        holder_id=holder_id,
        type_code=type_code,
        after=after[0] if after else None,
        limit=paging.limit + 1,
    )
    return paging.page(rows, lambda row: (row.id,), lambda row: LicenceRead.of(row, now))


@router.get("/{licence_id}", summary="A licence with its surface")
async def read_licence(
    *,
    caller: Annotated[Caller, require(LICENCES_READ, act=Act.VIEW)],
    session: Session,
    now: Now,
    ring: Ring,
    licence_id: UUID,
    response: Response,
) -> LicenceDetail:
    """In full for the holder, masked for the issuing department, its successor and its superiors; nobody else is told
    that it exists.
    """
    seen = await read.read_licence(session, ring, licence_id, caller=caller)
    set_etag(response, seen.licence.version)
    response.headers["Cache-Control"] = "no-store"
    return LicenceDetail.seen(seen, now)


@router.get("/{licence_id}/document", summary="The signed document")
async def read_document(
    *,
    caller: Annotated[Caller, require(LICENCES_READ, act=Act.COLLECT)],
    session: Session,
    ring: Ring,
    licence_id: UUID,
    response: Response,
) -> DocumentRead:
    """For the holder: whoever gets it from there can check it with our public keys, without asking us."""
    licence = await read.held_licence(session, licence_id, caller=caller)
    response.headers["Cache-Control"] = "no-store"
    return DocumentRead(document=read.document_of(ring, licence))


@router.get("/{licence_id}/timeline", summary="What happened to a licence")
async def read_timeline(
    *, caller: Annotated[Caller, require(LICENCES_READ, act=Act.VIEW)], session: Session, licence_id: UUID
) -> HistoryRead:
    """For the holder and the issuing department. `intact` tells whether the chain of hashes holds."""
    return HistoryRead.of(await read.read_history(session, licence_id, caller=caller))


@router.post("/{licence_id}/versions", status_code=201, summary="Issue the next version")
async def reissue_licence(
    *,
    caller: Annotated[Caller, require(LICENCES_ISSUE)],
    _once: Once,
    session: Session,
    now: Now,
    desk: IssueDesk,
    licence_id: UUID,
    expected: ExpectedVersion,
    body: LicenceContent,
    response: Response,
) -> LicenceRead:
    """On change 变更 or renewal 延续: same serial, version one higher; the old version is superseded in the same moment."""
    licence = await issue.reissue_licence(
        session,
        desk,
        licence_id,
        body.content,
        case_id=body.case_id,
        project_no=body.project_no,
        expected_version=expected,
        caller=caller,
        now=now,
    )
    return _show(response, licence, LicenceRead.of(licence, now))


@dataclass(frozen=True)
class _Decided:
    """What the decisions of an issuing department have in common: who, about which version, on what ground."""

    caller: Caller
    session: AsyncSession
    now: datetime
    licence_id: UUID
    expected_version: int
    body: StatusChange
    response: Response

    async def carry_out(self, action: Action) -> LicenceRead:
        licence = await change.change_status(
            self.session,
            self.licence_id,
            self.body.decision(action),
            expected_version=self.expected_version,
            caller=self.caller,
            now=self.now,
        )
        set_etag(self.response, licence.version)
        return LicenceRead.of(licence, self.now)


async def _decided(
    *,
    caller: Annotated[Caller, require(LICENCES_MANAGE)],
    _once: Once,
    session: Session,
    now: Now,
    licence_id: UUID,
    expected: ExpectedVersion,
    body: StatusChange,
    response: Response,
) -> _Decided:
    return _Decided(caller, session, now, licence_id, expected, body, response)


Decided = Annotated[_Decided, Depends(_decided)]


@router.post("/{licence_id}/suspend", summary="Suspend 暂扣")
async def suspend_licence(decided: Decided) -> LicenceRead:
    """By the issuing department only, on a penalty or by special law. It can be given back."""
    return await decided.carry_out(Action.SUSPEND)


@router.post("/{licence_id}/resume", summary="Give back 发还")
async def resume_licence(decided: Decided) -> LicenceRead:
    """Ends a suspension: served, or set aside."""
    return await decided.carry_out(Action.RESUME)


@router.post("/{licence_id}/revoke", summary="Revoke 撤销")
async def revoke_licence(decided: Decided) -> LicenceRead:
    """It was granted unlawfully (行政许可法 art. 69): by the issuing department or its superior. Final: the next
    verification says so.
    """
    return await decided.carry_out(Action.REVOKE)


@router.post("/{licence_id}/withdraw", summary="Withdraw 吊销")
async def withdraw_licence(decided: Decided) -> LicenceRead:
    """A penalty (行政处罚法 art. 9). Final."""
    return await decided.carry_out(Action.WITHDRAW)


@router.post("/{licence_id}/cancel", summary="Cancel 注销")
async def cancel_licence(decided: Decided) -> LicenceRead:
    """Its ground is gone (行政许可法 art. 70). Final."""
    return await decided.carry_out(Action.CANCEL)


def _show(response: Response, licence: Licence, shown: LicenceRead) -> LicenceRead:
    set_etag(response, licence.version)
    response.headers["Location"] = f"/certificates/v1/licences/{licence.id}"
    return shown
