"""The style sheet and the scripts of the pages."""

from fastapi import APIRouter, Response

from identity_service.pages.rendering import SCRIPTS, static_file
from service_common.auth import PUBLIC

router = APIRouter(include_in_schema=False)

_HEADERS = {"Cache-Control": "public, max-age=3600", "X-Content-Type-Options": "nosniff"}


@router.get("/identity/static/identity.css", dependencies=[PUBLIC])
async def style() -> Response:
    return Response(static_file("identity.css"), media_type="text/css", headers=_HEADERS)


def _serve(name: str) -> None:
    @router.get(f"/identity/static/{name}", dependencies=[PUBLIC], name=name)
    async def script() -> Response:
        return Response(static_file(name), media_type="text/javascript", headers=_HEADERS)


for _name in SCRIPTS:
    _serve(_name)
