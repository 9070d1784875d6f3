"""HTTP of showing and checking.

These POST routes take no Idempotency-Key, on purpose: a check answers for this moment, and an answer kept for a day would
go on saying "valid" after a revocation; a shown code is a secret that is stored nowhere. A repeat is a new check or a new code.
"""

from typing import Annotated
from uuid import UUID

from fastapi import Response

from certificates_service.presentation import handlers
from certificates_service.presentation.schemas import (
    CheckedDocumentRead,
    CheckedRead,
    DocumentToCheck,
    LicenceToCheck,
    PublicAnswer,
    ShownRead,
)
from service_common.app import Now, Ring, api_router
from service_common.auth import PUBLIC, Caller, require, scope
from service_common.db import Session
from service_common.delegation import Act

LICENCES_PRESENT = scope(
    "certificates:licences.present", zh="亮证", en="Show own licences", roles={"citizen"}
)
LICENCES_VERIFY = scope(
    "certificates:licences.verify",
    zh="核验电子证照",
    en="Check licences",
    roles={"partner", "clerk", "approver"},
)

router = api_router("presentation", prefix="/certificates/v1")


@router.post("/licences/{licence_id}/present", status_code=201, summary="Show a licence 亮证")
async def present_licence(
    *,
    caller: Annotated[Caller, require(LICENCES_PRESENT, act=Act.COLLECT)],
    session: Session,
    now: Now,
    licence_id: UUID,
    response: Response,
) -> ShownRead:
    """By the holder, or by who was entrusted with it. A code for one scan that lives for about a minute (by type) and ends with the log-in session. Refresh by asking again."""
    response.headers["Cache-Control"] = "no-store"
    return ShownRead.of(await handlers.present_licence(session, licence_id, caller=caller, now=now))


@router.post("/verifications", summary="Check a licence, as a department")
async def verify_licence(
    *,
    caller: Annotated[Caller, require(LICENCES_VERIFY)],
    session: Session,
    now: Now,
    ring: Ring,
    body: LicenceToCheck,
    response: Response,
) -> CheckedRead:
    """Status, issuer and masked surface at this moment. The holder sees who looked. A code works once."""
    response.headers["Cache-Control"] = "no-store"
    if body.code is not None:
        checked = await handlers.check_shown_code(session, ring, body.code, caller=caller, now=now)
    else:
        checked = await handlers.check_identifier(
            session, ring, body.identifier or "", caller=caller, now=now
        )
    return CheckedRead.of(checked, now)


@router.post("/verifications/public", summary="Check a licence without login", dependencies=[PUBLIC])
async def verify_publicly(
    session: Session, now: Now, body: LicenceToCheck, response: Response
) -> PublicAnswer:
    """Valid or not, nothing else. Expired, used and unknown codes are answered alike. A code works once."""
    response.headers["Cache-Control"] = "no-store"
    if body.code is not None:
        valid = await handlers.is_code_valid(session, body.code, now=now)
    else:
        valid = await handlers.is_identifier_valid(session, body.identifier or "", now=now)
    return PublicAnswer.of(valid=valid, now=now)


@router.post("/verifications/documents", summary="Check a signed document", dependencies=[PUBLIC])
async def verify_document(
    session: Session, now: Now, body: DocumentToCheck, response: Response
) -> CheckedDocumentRead:
    """Signature and digests as anybody can check them offline with `/certificates/v1/keys`, and the status of this moment."""
    response.headers["Cache-Control"] = "no-store"
    return CheckedDocumentRead.of(await handlers.check_document(session, body.document, now=now), now)
