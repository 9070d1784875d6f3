"""What the provider works with, gathered from the request and the application."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.db import began_by_use
from identity_service.oidc.clients import KnownClients, ServiceClients
from identity_service.oidc.provider import Answer, Work
from identity_service.scopes import ScopeCatalogue
from identity_service.settings import Settings
from identity_service.signing.handlers import SigningKeys
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


async def bench_of(request: Request) -> Bench:
    """What is at hand for a request now."""
    state = request.app.state
    keys = await state.signing_keys.current()
    return Bench(
        state.key_ring,
        state.settings,
        keys,
        state.scopes,
        state.service_clients,
        state.known_clients,
        state.now(),
    )


CurrentBench = Annotated[Bench, Depends(bench_of)]


async def in_one_transaction(request: Request, answer: Callable[[Work], Awaitable[Answer]]) -> Answer:
    """Answers with what the provider works with, in a transaction that is begun by its first statement.

    Committed before the answer leaves. A client whose row is remembered needs no statement, and no connection then.
    """
    bench = await bench_of(request)
    async with began_by_use(request.app.state.database) as session:
        return await answer(bench.work(session))


async def _work(bench: CurrentBench, session: Session) -> Work:
    return bench.work(session)


CurrentWork = Annotated[Work, Depends(_work)]
