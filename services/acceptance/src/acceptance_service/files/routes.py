"""HTTP of uploads and downloads."""

from typing import Annotated
from urllib.parse import quote
from uuid import UUID

from fastapi import Depends, Header, Query, Request
from fastapi.responses import StreamingResponse

from acceptance_service.files import handlers
from acceptance_service.files.handlers import FilePort
from acceptance_service.files.multipart import IncomingFile
from acceptance_service.files.schemas import FileLink, FileRead
from service_common.app import Now, api_router
from service_common.auth import PUBLIC, Caller, require, scope
from service_common.db import Session
from service_common.delegation import Act
from service_common.errors import DomainError
from service_common.idempotency import KeyMissing

FILES_WRITE = scope(
    "acceptance:files.write",
    zh="上传材料",
    en="Upload materials",
    roles={"citizen", "clerk", "approver", "partner"},
)

router = api_router("files", prefix="/acceptance/v1/files")

_UPLOAD_BODY = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            }
        },
    }
}


async def _port(request: Request) -> FilePort:
    port: FilePort = request.app.state.files
    return port


Files = Annotated[FilePort, Depends(_port)]


@router.post("", status_code=201, summary="Upload a file", openapi_extra=_UPLOAD_BODY)
async def upload_file(
    *,
    request: Request,
    session: Session,
    now: Now,
    port: Files,
    caller: Annotated[Caller, require(FILES_WRITE, act=Act.SUBMIT)],
    idempotency_key: Annotated[
        str | None, Header(max_length=200, description="One value per file, kept when retrying.")
    ] = None,
) -> FileRead:
    """The type is found from the content, pictures lose their metadata, the content is encrypted at rest.

    A file that no application takes within a day is deleted. What one person uploads within a day is bounded
    (`ACCEPTANCE_UPLOAD_DAILY_FILES`, `ACCEPTANCE_UPLOAD_DAILY_BYTES`): beyond it 429 `upload_quota_used`.
    """
    if not idempotency_key:
        raise KeyMissing
    incoming = IncomingFile(request)
    # The session has sent nothing yet, so it holds no connection while the client takes its time.
    stored = await handlers.take_in(port, incoming.content())
    try:
        facts, superfluous = await handlers.register_upload(
            session, port, stored, name=incoming.name, upload_key=idempotency_key, caller=caller, now=now
        )
    except DomainError:
        await port.store.delete(stored.object_key)
        raise
    if superfluous:
        await port.store.delete(superfluous)
    return FileRead.model_validate(facts)


@router.post("/{file_id}/link", summary="A link to an own upload")
async def link_to_file(
    *,
    file_id: UUID,
    session: Session,
    now: Now,
    port: Files,
    caller: Annotated[Caller, require(FILES_WRITE, act=Act.SUBMIT)],
) -> FileLink:
    """Opens the file for five minutes without login. Only who uploaded it gets one here, until an application takes it."""
    path, expires_at = handlers.sign_link(
        port.ring, await handlers.own_file(session, file_id, caller), now=now
    )
    return FileLink(path=path, expires_at=expires_at)


@router.get(
    "/{file_id}/content",
    summary="The content behind a link",
    dependencies=[PUBLIC],
    response_class=StreamingResponse,
    responses={200: {"content": {"application/octet-stream": {}}, "description": "The file"}},
)
async def read_content(
    *,
    file_id: UUID,
    session: Session,
    now: Now,
    port: Files,
    expires: Annotated[int, Query(description="Seconds since 1970.")],
    signature: Annotated[str, Query(pattern="^[0-9a-f]{64}$")],
) -> StreamingResponse:
    """Needs no login: the signature is the permission, and it lives five minutes."""
    handlers.check_link(port.ring, file_id, expires, signature, now=now)
    file = await handlers.open_file(session, port, file_id)
    return StreamingResponse(
        file.content,
        media_type=file.media_type,
        headers={
            "Content-Length": str(file.size),
            "Content-Disposition": f"attachment; filename*=UTF-8''{quote(file.name)}",
            "Cache-Control": "private, no-store",
            "X-Content-Type-Options": "nosniff",
        },
    )
