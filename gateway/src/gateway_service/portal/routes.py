"""Documents and pages for developers, and the platform's health in a word."""

from typing import Annotated, Any

from fastapi import Path, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse

from gateway_service.portal import pages
from gateway_service.portal.asyncapi import describe_events
from gateway_service.portal.documents import ServiceDocuments
from gateway_service.portal.health import PlatformHealth, ServiceHealth
from gateway_service.portal.openapi import merge
from gateway_service.portal.webhook_document import describe_webhooks
from service_common.app import api_router
from service_common.auth import PUBLIC
from service_common.errors import NotFound

router = api_router("portal")

_CACHED = "public, max-age=60"
_PAGE_HEADERS = {
    "Content-Security-Policy": pages.CONTENT_SECURITY_POLICY,
    "Cache-Control": _CACHED,
    "X-Frame-Options": "DENY",
}
_EVENTS = describe_events()


class NoSuchAsset(NotFound):
    """The portal has no such file."""

    code = "no_such_asset"


@router.get("/openapi.json", dependencies=[PUBLIC], summary="All interfaces in one document")
async def openapi_of_all(request: Request) -> JSONResponse:
    """The OpenAPI 3.1 documents of all services, joined. `x-lianban-missing` names services that have never answered."""
    documents, missing = await _documents(request)
    merged = merge(
        {**documents, "gateway": request.app.openapi()},
        missing=missing,
        origin=request.app.state.settings.public_origin,
        webhooks=describe_webhooks(),
    )
    return JSONResponse(merged, headers={"Cache-Control": _CACHED})


@router.get("/asyncapi.json", dependencies=[PUBLIC], summary="All events in one document")
async def asyncapi() -> JSONResponse:
    """AsyncAPI 3.0, generated from the event contracts."""
    return JSONResponse(_EVENTS, headers={"Cache-Control": _CACHED})


@router.get("/health", dependencies=[PUBLIC], summary="Health of the platform")
async def health(request: Request) -> PlatformHealth:
    """One word for each service; asked of them at most every two seconds."""
    services: ServiceHealth = request.app.state.service_health
    return await services.current()


@router.get("/", dependencies=[PUBLIC], include_in_schema=False)
async def root() -> RedirectResponse:
    return RedirectResponse("/docs", status_code=307)


@router.get("/docs", dependencies=[PUBLIC], include_in_schema=False)
async def start_page(request: Request) -> HTMLResponse:
    _, missing = await _documents(request)
    return HTMLResponse(pages.start_page(missing), headers=_PAGE_HEADERS)


@router.get("/docs/api", dependencies=[PUBLIC], include_in_schema=False)
async def api_page() -> HTMLResponse:
    return HTMLResponse(pages.api_page(), headers=_PAGE_HEADERS)


@router.get("/docs/events", dependencies=[PUBLIC], include_in_schema=False)
async def events_page() -> HTMLResponse:
    return HTMLResponse(pages.events_page(_EVENTS), headers=_PAGE_HEADERS)


@router.get("/docs/assets/{name}", dependencies=[PUBLIC], include_in_schema=False)
async def asset(name: Annotated[str, Path(max_length=100)]) -> Response:
    found = pages.asset(name)
    if found is None:
        raise NoSuchAsset
    content, media_type = found
    return Response(content, media_type=media_type, headers={"Cache-Control": "public, max-age=86400"})


async def _documents(request: Request) -> tuple[dict[str, Any], set[str]]:
    documents: ServiceDocuments = request.app.state.documents
    return await documents.current()
