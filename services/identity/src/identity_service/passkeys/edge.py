"""How passkeys know us."""

from typing import Annotated

from fastapi import Depends

from identity_service.edge import CurrentSettings
from identity_service.passkeys.handlers import RelyingParty
from identity_service.settings import Settings


def relying_party(settings: Settings) -> RelyingParty:
    """Host and origin, from the issuer's address."""
    return RelyingParty(settings.relying_party_id, settings.web_origin)


async def _us(settings: CurrentSettings) -> RelyingParty:
    return relying_party(settings)


Us = Annotated[RelyingParty, Depends(_us)]
