"""HTTP of divisions."""

from typing import Annotated

from fastapi import Query, Request

from identity_service.organisation.handlers import divisions as handlers
from identity_service.organisation.schemas import DivisionRead, ImportResult
from service_common.app import api_router
from service_common.auth import PUBLIC, Caller, require, scope
from service_common.db import Session
from service_common.errors import Invalid
from service_common.pages import Page, Paging

router = api_router("divisions", prefix="/identity/v1/divisions")

DIVISIONS_IMPORT = scope(
    "identity:divisions.import", zh="导入行政区划", en="Import administrative divisions", roles={"operator"}
)

# Every village of the country is 25 MB.
_LARGEST_FILE_BYTES = 64 * 1024 * 1024
_NDJSON = "application/x-ndjson"
_MEDIA_TYPES = {"text/csv", _NDJSON}


class UnreadableFile(Invalid):
    """Not a file that can be imported."""

    code = "unreadable_file"
    zh = "请上传不超过 64 MB 的 UTF-8 CSV（text/csv）或 NDJSON（application/x-ndjson）文件。"
    en = "Send UTF-8 CSV (text/csv) or NDJSON (application/x-ndjson) of at most 64 MB."


@router.post(
    "/imports",
    summary="Import divisions 导入行政区划",
    description="Loads a CSV or NDJSON file whole or not at all. Importing the same file again changes nothing, so no "
    "`Idempotency-Key` is needed. Bad lines are named in `errors`.",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "text/csv": {
                    "schema": {"type": "string"},
                    "example": "code,name,level,parent_code\n430000,湖南省,PROVINCE,\n430300,湘潭市,CITY,430000\n",
                },
                _NDJSON: {"schema": {"type": "string"}, "example": '{"code": "430000", "name": "湖南省"}\n'},
            },
        }
    },
)
async def import_divisions(
    request: Request, session: Session, _caller: Annotated[Caller, require(DIVISIONS_IMPORT)]
) -> ImportResult:
    text, media_type = await _read_file(request)
    rows, changed = await handlers.import_divisions(session, text, ndjson=media_type == _NDJSON)
    return ImportResult(rows=rows, changed=changed)


async def _read_file(request: Request) -> tuple[str, str]:
    media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if media_type not in _MEDIA_TYPES:
        raise UnreadableFile
    content = bytearray()
    async for chunk in request.stream():
        content += chunk
        if len(content) > _LARGEST_FILE_BYTES:
            raise UnreadableFile
    try:
        return content.decode(), media_type
    except UnicodeDecodeError as error:
        raise UnreadableFile from error


@router.get(
    "",
    summary="List divisions 行政区划",
    description="The divisions directly below one; below the nation (100000) are the provinces.",
    dependencies=[PUBLIC],
)
async def list_divisions(
    session: Session,
    paging: Paging,
    parent: Annotated[str, Query(pattern=r"^\d{6}(\d{3}){0,2}$", examples=["430300"])] = "100000",
) -> Page[DivisionRead]:
    after = paging.after(str)
    rows = await handlers.list_divisions(
        session, parent=parent, after=after[0] if after else None, limit=paging.limit
    )
    return paging.page(rows, key=lambda row: (row.code,), show=DivisionRead.of)


@router.get(
    "/{code}",
    summary="Get a division 行政区划详情",
    description="By 6, 9 or 12 digits.",
    dependencies=[PUBLIC],
)
async def get_division(session: Session, code: str) -> DivisionRead:
    return DivisionRead.of(await handlers.get_division(session, code))
