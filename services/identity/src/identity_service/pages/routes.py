"""The style sheet of the pages."""

from fastapi import APIRouter, Response

from identity_service.pages.rendering import stylesheet
from service_common.auth import PUBLIC

router = APIRouter(include_in_schema=False)


@router.get("/identity/static/identity.css", dependencies=[PUBLIC])
async def style() -> Response:
    return Response(stylesheet(), media_type="text/css", headers={"Cache-Control": "public, max-age=3600"})
