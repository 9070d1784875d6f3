"""What routes take from a request and from the application, beside the parsed body."""

from datetime import timedelta
from typing import Annotated

from fastapi import Depends, Request

from identity_service.clients.authority import Authority
from identity_service.clients.sms import SmsNotSent, SmsSender
from identity_service.scopes import ScopeCatalogue
from identity_service.sessions.handlers import SessionLimits
from identity_service.settings import Settings
from identity_service.signing.handlers import KeyStore, SigningKeys


def address_of(request: Request) -> str:
    """Where a request comes from, as the edge reports it."""
    return request.client.host if request.client else "unknown"


async def _settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


def session_limits(settings: Settings) -> SessionLimits:
    return SessionLimits(
        idle=timedelta(minutes=settings.session_idle_minutes), longest=timedelta(hours=settings.session_hours)
    )


async def _authority(request: Request) -> Authority:
    authority: Authority = request.app.state.authority
    return authority


async def _catalogue(request: Request) -> ScopeCatalogue:
    catalogue: ScopeCatalogue = request.app.state.scopes
    return catalogue


async def _keys(request: Request) -> SigningKeys:
    store: KeyStore = request.app.state.signing_keys
    return await store.current()


async def need_sms(request: Request) -> None:
    """Refuses at once where no way to send text messages is configured."""
    sender: SmsSender | None = request.app.state.sms_sender
    if sender is None:
        raise SmsNotSent


CurrentSettings = Annotated[Settings, Depends(_settings)]
CurrentAuthority = Annotated[Authority, Depends(_authority)]
Catalogue = Annotated[ScopeCatalogue, Depends(_catalogue)]
Keys = Annotated[SigningKeys, Depends(_keys)]
