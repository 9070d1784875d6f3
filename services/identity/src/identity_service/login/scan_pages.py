"""Scan to log in: the browser shows a code and waits. A script of ours asks now and then; without it the page loads itself again."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Form, Query, Response
from fastapi.responses import JSONResponse

from identity_service.db import InTransactions
from identity_service.edge import session_limits
from identity_service.login import scanning
from identity_service.login.domain import FormNotOurs, ScanStatus
from identity_service.login.handlers import Browser, parameters_of
from identity_service.pages import cookies
from identity_service.pages.browsers import CurrentVisit, PageRoute, Visit
from identity_service.pages.qr import qr_svg
from identity_service.pages.rendering import page, see_other
from service_common.app import Now
from service_common.auth import PUBLIC

SCAN_PAGE = "/identity/login/scan"

router = APIRouter(prefix=SCAN_PAGE, include_in_schema=False, dependencies=[PUBLIC], route_class=PageRoute)

_Asked = Annotated[UUID, Query()]


@router.post("")
async def begin(
    *,
    visit: CurrentVisit,
    transactions: InTransactions,
    now: Now,
    interaction: Annotated[UUID, Form()],
    form_token: Annotated[str, Form(max_length=200)],
) -> Response:
    if not visit.form_is_ours(str(interaction), form_token):
        raise FormNotOurs
    async with transactions() as session:
        await scanning.begin_scan(session, visit.ring, _browser(visit), interaction, now=now)
    return see_other(f"{SCAN_PAGE}?interaction={interaction}")


@router.get("")
async def show(visit: CurrentVisit, transactions: InTransactions, now: Now, interaction: _Asked) -> Response:
    browser = _browser(visit)
    async with transactions() as session:
        shown = await scanning.look_at_scan(session, visit.ring, browser, interaction, now=now)
        if shown.status in (ScanStatus.APPROVED, ScanStatus.USED):
            limits = session_limits(visit.settings)
            secret = await scanning.enter_by_scan(
                session, visit.ring, browser, interaction, cookie=visit.browser, limits=limits, now=now
            )
            return _entered(visit, interaction, secret)
    waits = shown.status is ScanStatus.PENDING
    return page(
        visit.request,
        "login_scan.html",
        script="scan.js" if waits else None,
        waits=waits,
        interaction=interaction,
        form_token=visit.form_token(str(interaction)),
        client_name=shown.interaction.client_name,
        user_code=shown.user_code,
        qr=qr_svg(f"{visit.settings.device_page}?user_code={shown.user_code}"),
        ui_locales=parameters_of(visit.ring, shown.interaction).get("ui_locales", ""),
    )


@router.get("/state")
async def tell_state(
    visit: CurrentVisit, transactions: InTransactions, now: Now, interaction: _Asked
) -> Response:
    """For the script of the page."""
    async with transactions() as session:
        shown = await scanning.look_at_scan(session, visit.ring, _browser(visit), interaction, now=now)
    return JSONResponse({"status": shown.status}, headers={"Cache-Control": "no-store"})


def _browser(visit: Visit) -> Browser:
    user_agent = visit.request.headers.get("user-agent", "")
    return Browser(visit.browser_hash, visit.address, visit.session_secret, user_agent)


def _entered(visit: Visit, interaction: UUID, secret: str | None) -> Response:
    response = see_other(f"/identity/authorize/resume?interaction={interaction}")
    if secret is not None:
        cookies.keep_session(response, secret, visit.settings)
    return response
