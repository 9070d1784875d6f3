"""HTTP of licence types."""

from typing import Annotated

from fastapi import Path

from certificates_service.types import handlers
from certificates_service.types.schemas import LicenceTypeFile, LicenceTypeRead, LoadedRead
from service_common.app import Now, api_router
from service_common.auth import PUBLIC, Caller, require, scope
from service_common.db import Session
from service_common.idempotency import Once
from service_common.pages import Page, Paging

TYPES_IMPORT = scope(
    "certificates:licence-types.import",
    zh="导入证照类型",
    en="Import licence types",
    roles={"operator", "service"},
)

router = api_router("licence types", prefix="/certificates/v1/licence-types")


@router.post("/imports", status_code=201, summary="Import licence types")
async def import_types(
    *,
    _caller: Annotated[Caller, require(TYPES_IMPORT)],
    _once: Once,
    session: Session,
    now: Now,
    body: LicenceTypeFile,
) -> LoadedRead:
    """Loads the whole file or nothing: every bad row is named in `errors`. The same file again changes nothing."""
    definitions = [row.definition() for row in body.licence_types]
    loaded = await handlers.import_types(session, definitions, kinds=body.kinds, now=now)
    return LoadedRead.model_validate(loaded)


@router.get("", summary="Licence types", dependencies=[PUBLIC])
async def list_types(session: Session, paging: Paging) -> Page[LicenceTypeRead]:
    """All types of the library, in the order of their codes."""
    after = paging.after(str)
    rows = await handlers.list_types(session, after=after[0] if after else None, limit=paging.limit + 1)
    return paging.page(rows, lambda row: (row.code,), LicenceTypeRead.of)


@router.get("/{code}", summary="One licence type", dependencies=[PUBLIC])
async def read_type(
    session: Session, code: Annotated[str, Path(max_length=21, examples=["11990000LB0000230M001"])]
) -> LicenceTypeRead:
    """A type with its surface fields and their JSON Schema."""
    return LicenceTypeRead.of(await handlers.read_type(session, code))
