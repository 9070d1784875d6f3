"""Clients of every kind, ready to be driven."""

import httpx
import pytest
from services.identity.tests.factories import CALLBACK, Population
from services.identity.tests.flows import Application
from sqlalchemy import select

from identity_service.db import Transactions
from service_common.tables import outbox


@pytest.fixture
async def mobile(client: httpx.AsyncClient, population: Population) -> Application:
    """The platform's own app: public, first-party."""
    return Application(client, await population.app(), "http://127.0.0.1:51234/callback")


@pytest.fixture
async def partner(client: httpx.AsyncClient, population: Population) -> Application:
    """A department's system: confidential, third-party."""
    return Application(client, await population.client(), CALLBACK)


class EndedSessions:
    """What services have been told of ended sessions."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    async def list(self) -> list[tuple[str, str]]:
        async with self._transactions() as session:
            events = await session.scalars(
                select(outbox.c.event)
                .where(outbox.c.subject == "gov.identity.session.ended.v1")
                .order_by(outbox.c.id)
            )
            return [(event["data"]["session_id"], event["data"]["reason"]) for event in events]


@pytest.fixture
def ended(transactions: Transactions) -> EndedSessions:
    return EndedSessions(transactions)
