"""The page on which people let devices in. Without a log-in it tells nothing of a code, but shows it to be scanned."""

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Response

from identity_service.db import InTransactions
from identity_service.edge import session_limits
from identity_service.login import handlers as login_handlers
from identity_service.login.domain import FormNotOurs
from identity_service.oidc import device_approval
from identity_service.oidc.device_approval import Approver
from identity_service.oidc.domain import NoSuchDevice, normal_user_code
from identity_service.oidc.routes.work import Bench, CurrentBench
from identity_service.pages.browsers import CurrentVisit, PageRoute, Visit
from identity_service.pages.qr import qr_svg
from identity_service.pages.rendering import page, see_other
from identity_service.sessions.domain import LetInOnly
from identity_service.sessions.handlers import find_session
from service_common.auth import PUBLIC
from service_common.clock import SHANGHAI
from service_common.errors import DomainError, TooMany

DEVICE_PAGE = "/identity/device"
USER_CODE = "user_code"

router = APIRouter(prefix=DEVICE_PAGE, include_in_schema=False, dependencies=[PUBLIC], route_class=PageRoute)

_Text = Annotated[str, Form(max_length=200)]


@router.get("")
async def show_device(
    visit: CurrentVisit,
    bench: CurrentBench,
    transactions: InTransactions,
    user_code: Annotated[str, Query(max_length=40)] = "",
) -> Response:
    if not user_code:
        return page(visit.request, "device_code.html")
    code = normal_user_code(user_code)
    if code is None:
        return _typed_again(visit, NoSuchDevice())
    approver = await _approver(visit, bench, transactions)
    if approver is None or approver.is_let_in:
        return _to_scan(visit, code, LetInOnly() if approver else None)
    try:
        await _count_attempt(visit, bench, transactions, approver)
        async with transactions() as session:
            waiting = await device_approval.find_waiting(
                bench.work(session), approver, code, address=visit.address
            )
    except (NoSuchDevice, TooMany) as error:
        return _typed_again(visit, error)
    return page(
        visit.request,
        "device_confirm.html",
        user_code=code,
        form_token=visit.form_token(_purpose(code)),
        browser=waiting.browser,
        client_name=waiting.client_name,
        scopes=waiting.scopes,
        address=waiting.address,
        requested_at=f"{waiting.asked_at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}",
    )


@router.post("")
async def decide(
    *,
    visit: CurrentVisit,
    bench: CurrentBench,
    transactions: InTransactions,
    user_code: _Text,
    form_token: _Text,
    decision: Annotated[str, Form(pattern="^(allow|deny)$")],
) -> Response:
    if not visit.form_is_ours(_purpose(user_code), form_token):
        raise FormNotOurs
    approver = await _approver(visit, bench, transactions)
    if approver is None or approver.is_let_in:
        return see_other(f"{DEVICE_PAGE}?{urlencode({USER_CODE: user_code})}")
    try:
        await _count_attempt(visit, bench, transactions, approver)
        async with transactions() as session:
            work = bench.work(session)
            if decision == "allow":
                await device_approval.let_in(work, approver, user_code, address=visit.address)
            else:
                waiting = await device_approval.find_waiting(work, approver, user_code, address=visit.address)
                device_approval.deny(waiting)
    except (NoSuchDevice, TooMany) as error:
        return _typed_again(visit, error)
    return page(visit.request, "device_done.html", allowed=decision == "allow")


@router.get("/login")
async def log_in_first(
    visit: CurrentVisit,
    bench: CurrentBench,
    transactions: InTransactions,
    user_code: Annotated[str, Query(max_length=40)],
) -> Response:
    """To the log-in pages, and back to the code."""
    async with transactions() as session:
        begun = await login_handlers.begin_interaction(
            session,
            visit.ring,
            visit.browser_hash,
            client_name=None,
            parameters={USER_CODE: user_code},
            life=login_handlers.life_of(visit.settings),
            now=bench.now,
        )
    return visit.remember(see_other(f"/identity/login?interaction={begun.id}"))


async def _approver(visit: Visit, bench: Bench, transactions: InTransactions) -> Approver | None:
    async with transactions() as session:
        login = await find_session(
            session, visit.ring, visit.session_secret, limits=session_limits(visit.settings), now=bench.now
        )
        if login is None:
            return None
        return Approver(
            login.account_id, login.kind, login.methods, login.authenticated_at, login.is_let_in, login
        )


async def _count_attempt(
    visit: Visit, bench: Bench, transactions: InTransactions, approver: Approver
) -> None:
    async with transactions() as session:
        await device_approval.admit_guess(
            session, visit.ring, subject_id=approver.subject_id, address=visit.address, now=bench.now
        )


def _purpose(code: str) -> str:
    return f"device:{code}"


def _to_scan(visit: Visit, code: str, reason: DomainError | None) -> Response:
    """Shows the code to be scanned elsewhere, or to log in here first; tells nothing of what waits with it."""
    address = f"{visit.settings.device_page}?{urlencode({USER_CODE: code})}"
    return page(
        visit.request,
        "device_scan.html",
        status=200 if reason is None else 403,
        problem=reason,
        user_code=code,
        qr=qr_svg(address),
        log_in=f"{DEVICE_PAGE}/login?{urlencode({USER_CODE: code})}",
    )


def _typed_again(visit: Visit, error: DomainError) -> Response:
    status, headers = 422, {}
    if isinstance(error, TooMany):
        status, headers = 429, {"Retry-After": str(error.retry_after)}
    return page(
        visit.request,
        "device_code.html",
        status=status,
        headers=headers,
        problem=error,
        again=DEVICE_PAGE,
    )
