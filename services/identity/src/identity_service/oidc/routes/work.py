"""What the provider works with, gathered from the request and the application."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.edge import Catalogue, CurrentSettings, Keys
from identity_service.oidc.clients import KnownClients, ServiceClients
from identity_service.oidc.provider import Work
from identity_service.scopes import ScopeCatalogue
from identity_service.settings import Settings
from identity_service.signing.handlers import SigningKeys
from service_common.app import Now, Ring
from service_common.crypto import KeyRing
from service_common.db import Session


@dataclass(frozen=True)
class Bench:
    """Everything but the transaction: pages open theirs themselves."""

    ring: KeyRing
    settings: Settings
    keys: SigningKeys
    catalogue: ScopeCatalogue
    services: ServiceClients
    known: KnownClients
    now: datetime

    def work(self, session: AsyncSession) -> Work:
        return Work(
            session, self.ring, self.settings, self.keys, self.catalogue, self.services, self.known, self.now
        )


async def _bench(
    *, request: Request, ring: Ring, settings: CurrentSettings, keys: Keys, catalogue: Catalogue, now: Now
) -> Bench:
    state = request.app.state
    return Bench(ring, settings, keys, catalogue, state.service_clients, state.known_clients, now)


CurrentBench = Annotated[Bench, Depends(_bench)]


async def _work(bench: CurrentBench, session: Session) -> Work:
    return bench.work(session)


CurrentWork = Annotated[Work, Depends(_work)]
