"""One call for the home screen of the app."""

import asyncio
from typing import Annotated

from fastapi import Request, Response

from gateway_service.home.client import ask
from gateway_service.home.domain import PARTS
from gateway_service.home.schemas import Home, HomePart
from gateway_service.settings import Settings
from service_common.app import api_router
from service_common.auth import Caller, require, scope

HOME_READ = scope(
    "gateway:home.read", zh="查看首页汇总", en="Read the summary of the home screen", roles={"citizen"}
)

router = api_router("home", prefix="/gateway/v1")


@router.get("/home", summary="Everything for the home screen")
async def home(request: Request, response: Response, caller: Annotated[Caller, require(HOME_READ)]) -> Home:
    """The person, unread messages, open applications, licences and invitations, asked of their services side by side.

    The caller's token is passed on, so it needs their scopes too. A part whose service does not answer within two seconds is
    `UNAVAILABLE`; the rest still comes.
    """
    _ = caller.person_id  # the screen is a person's
    settings: Settings = request.app.state.settings
    answers = await asyncio.gather(
        *(
            ask(
                part,
                http=request.app.state.http,
                service_urls=settings.service_urls,
                headers=request.headers,
                proven_at=request.url.path,
            )
            for part in PARTS
        )
    )
    response.headers["Cache-Control"] = "private, no-store"
    parts = zip(PARTS, answers, strict=True)
    return Home(**{part.name: HomePart(status=status, data=data) for part, (status, data) in parts})
