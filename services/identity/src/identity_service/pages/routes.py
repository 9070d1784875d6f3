"""The style sheet and the script of the pages."""

from fastapi import APIRouter, Response

from identity_service.pages.rendering import passkey_script, stylesheet
from service_common.auth import PUBLIC

router = APIRouter(include_in_schema=False)


@router.get("/identity/static/identity.css", dependencies=[PUBLIC])
async def style() -> Response:
    return Response(stylesheet(), media_type="text/css", headers={"Cache-Control": "public, max-age=3600"})


@router.get("/identity/static/passkeys.js", dependencies=[PUBLIC])
async def script() -> Response:
    headers = {"Cache-Control": "public, max-age=3600", "X-Content-Type-Options": "nosniff"}
    return Response(passkey_script(), media_type="text/javascript", headers=headers)
