"""What the provider works with, gathered from the request and the application."""

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Request
from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.db import BegunByNeed
from identity_service.oidc.assertions import UsedAssertions
from identity_service.oidc.clients import KnownClients, ServiceClients
from identity_service.oidc.provider import Work
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
    assertions: UsedAssertions
    now: datetime

    def work(self, session: AsyncSession) -> Work:
        return self.work_by_need(lambda: session)

    def work_by_need(self, open_session: Callable[[], AsyncSession]) -> Work:
        return Work(
            open_session,
            self.ring,
            self.settings,
            self.keys,
            self.catalogue,
            self.services,
            self.known,
            self.assertions,
            self.now,
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
        state.used_assertions,
        state.now(),
    )


CurrentBench = Annotated[Bench, Depends(bench_of)]


@contextlib.asynccontextmanager
async def at_work(request: Request, *, stands_alone: bool) -> AsyncIterator[Work]:
    """What the provider works with. What it wrote is committed at the end, before the answer leaves.

    ``stands_alone``: of the statements for this request each is complete in itself, so each is committed by itself, without
    the two round trips that open and close a transaction around them. A request that needs no statement takes no connection.
    """
    state = request.app.state
    bench = await bench_of(request)
    async with BegunByNeed(
        state.lone_statements if stands_alone else state.database.sessions
    ) as open_session:
        yield bench.work_by_need(open_session)


async def _work(bench: CurrentBench, session: Session) -> Work:
    return bench.work(session)


CurrentWork = Annotated[Work, Depends(_work)]
