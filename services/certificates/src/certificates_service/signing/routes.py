"""The public keys, for whoever checks a licence offline."""

from fastapi import Response

from certificates_service.signing.handlers import public_keys
from certificates_service.signing.schemas import KeySetRead
from service_common.app import api_router
from service_common.auth import PUBLIC
from service_common.db import Session

router = api_router("keys", prefix="/certificates/v1/keys")

# Seconds. Far below the overlap of a rotation: who cached the set still knows the key that signs.
_CACHE_SECONDS = 300


@router.get("", summary="Public keys of signed licences", dependencies=[PUBLIC])
async def read_keys(session: Session, response: Response) -> KeySetRead:
    """All keys that ever signed a licence, and the next one before it does. Keep a copy at a counter without network."""
    response.headers["Cache-Control"] = f"public, max-age={_CACHE_SECONDS}"
    return KeySetRead(keys=await public_keys(session))
