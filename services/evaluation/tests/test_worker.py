"""The worker as it runs: an event comes in over the broker, its consequence goes out over it."""

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nats
from nats.js import JetStreamContext
from sqlalchemy import select

from evaluation_service.app import define_service
from evaluation_service.indicators.handlers import find_drift
from evaluation_service.invitations.domain import InvitationState
from evaluation_service.invitations.models import Invitation
from evaluation_service.settings import Settings
from evaluation_service.worker import sweep_once
from lianban_local.testing.brokers import TestNats
from service_common.app import create_app
from service_common.contracts.acceptance import CaseFinished
from service_common.contracts.evaluation import InvitationCreated
from service_common.crypto import KeyRing
from service_common.db import Database, new_id
from service_common.streams import ensure_stream

SAMPLE = Path(__file__).parents[3] / f"tests/contracts/samples/{CaseFinished.subject}.json"


async def test_a_finished_case_becomes_an_invitation_on_the_broker(
    new_settings: Callable[[], Settings], nats_server: TestNats
) -> None:
    await nats_server.clear()
    settings, case = new_settings(), str(new_id())
    app = create_app(define_service(settings), worker=True)
    client = await nats.connect(nats_server.url)
    async with app.router.lifespan_context(app):
        jetstream = client.jetstream()
        for producer in ("acceptance", "evaluation"):
            await ensure_stream(jetstream, producer, settings)
        heard = await jetstream.subscribe(InvitationCreated.subject, ordered_consumer=True)
        sample = json.loads(SAMPLE.read_text())
        sample["data"]["case_id"] = case
        for _ in range(2):  # the broker may deliver a message again; here it is even sent again
            await jetstream.publish(CaseFinished.subject, json.dumps(sample).encode())
        message = await heard.next_msg(timeout=60)
        told = json.loads(message.data)
        assert (told["data"]["contact_id"], told["revision"]) == (case, 1)
        async with asyncio.timeout(60):
            while await _unheard(jetstream):
                await asyncio.sleep(0.02)
        async with app.state.database.sessions() as session:
            assert len((await session.scalars(select(Invitation))).all()) == 1
    await client.close()


async def _unheard(jetstream: JetStreamContext) -> int:
    consumer = await jetstream.consumer_info("ACCEPTANCE", "evaluation-case-finished")
    return (consumer.num_pending or 0) + (consumer.num_ack_pending or 0)


async def test_several_sweepers_at_once_count_each_expired_invitation_once(
    database: Database, ring: KeyRing, cast: Any, invite_to: Callable[..., Any]
) -> None:
    long_ago = cast.monday.replace(year=2024)
    async with database.sessions() as session, session.begin():
        for number in range(30):
            await invite_to(session, cast.wang, item_code=f"ITEM-{number % 4}", now=long_ago)
    await asyncio.gather(*(sweep_once(database, ring, valid_days=10) for _ in range(4)))
    async with database.sessions() as session:
        states = set(await session.scalars(select(Invitation.state)))
        assert states == {InvitationState.EXPIRED}
        assert await find_drift(session) == []
