"""One call for a copy of one's data from all services."""

import asyncio
from typing import Annotated

from fastapi import Request, Response

from gateway_service.export.domain import PART_SECONDS, PARTS
from gateway_service.export.schemas import Export, ExportPart
from gateway_service.home.client import ask
from gateway_service.home.domain import PartStatus
from gateway_service.settings import Settings
from service_common.app import Now, api_router
from service_common.auth import Caller, require, scope
from service_common.exports import check_exporter

EXPORT_READ = scope(
    "gateway:me.export", zh="导出个人数据", en="Export your data from all services", roles={"citizen"}
)

router = api_router("export", prefix="/gateway/v1/me")


@router.get("/export", summary="Export my data from all services 导出个人数据")
async def export_my_data(
    request: Request, response: Response, now: Now, caller: Annotated[Caller, require(EXPORT_READ)]
) -> Export:
    """What every service holds about the caller, asked side by side with the caller's own token, which needs their scopes too.

    A service that does not answer is named in `missing`, and its part has no data; the rest still comes. Of long lists the newest
    hundred come, with a link to the next. Asks for a log-in of the last quarter of an hour; agents do not get it.
    """
    check_exporter(caller, now=now)
    settings: Settings = request.app.state.settings
    answers = await asyncio.gather(
        *(
            ask(
                part,
                http=request.app.state.http,
                service_urls=settings.service_urls,
                headers=request.headers,
                proven_at=request.url.path,
                seconds=PART_SECONDS,
            )
            for part in PARTS
        )
    )
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Disposition"] = 'attachment; filename="lianban.json"'
    told = {part.name: answer for part, answer in zip(PARTS, answers, strict=True)}
    missing = [name for name, (status, _data) in told.items() if status is not PartStatus.OK]
    whole = [data for _status, data in told.values() if isinstance(data, dict)]
    links = [data["next"] for data in whole if data.get("next")]
    return Export(
        exported_at=now,
        complete=not missing and not links and not any(data.get("truncated") for data in whole),
        missing=missing,
        continued_at=links,
        parts={name: ExportPart(status=status, data=data) for name, (status, data) in told.items()},
    )
