"""The whole way: an event in NATS reaches the department's system through the running worker."""

import asyncio
import json
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import nats

from gateway_service.app import define_service
from gateway_service.settings import Settings
from service_common.app import create_app
from service_common.contracts.acceptance import CaseSubmitted
from service_common.streams import ensure_streams

if TYPE_CHECKING:
    from gateway.tests.webhooks.conftest import Receiver, Subscribe


async def test_an_event_reaches_the_receiver(
    settings: Settings, subscribe: "Subscribe", receiver: "Receiver", department: UUID, samples: Path
) -> None:
    await subscribe()
    client = await nats.connect(settings.nats_url.get_secret_value())
    jetstream = client.jetstream()
    await ensure_streams(jetstream, settings)
    sample = json.loads((samples / f"{CaseSubmitted.subject}.json").read_text(encoding="utf-8"))
    sample["data"]["department_id"] = str(department)
    worker = create_app(define_service(settings), worker=True, api=False)
    async with worker.router.lifespan_context(worker):
        await jetstream.publish(CaseSubmitted.subject, json.dumps(sample).encode())
        async with asyncio.timeout(60):
            while not receiver.messages:
                await asyncio.sleep(0.05)
    await client.close()
    assert json.loads(receiver.messages[0].body)["data"]["id"] == sample["data"]["case_id"]
