"""Log-outs heard by every API process: access tokens of an ended session are refused within a second."""

import asyncio
import contextlib
from datetime import timedelta

import structlog
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from pydantic import ValidationError

from service_common.clock import utc_now
from service_common.contracts.envelope import CloudEvent
from service_common.contracts.identity import SessionEnded
from service_common.contracts.registry import stream_of
from service_common.jobs import end_if_cancelled
from service_common.settings import ServiceSettings
from service_common.streams import ensure_stream
from service_common.tokens import RevokedSessions

logger = structlog.get_logger()

# A token lives five minutes: what ended before that cannot matter to a process that starts now.
_LOOK_BACK = timedelta(minutes=6)
_BATCH = 256
_FETCH_SECONDS = 2.0
# Seconds without a fetch after which the broker forgets the consumer of a process that died.
_FORGOTTEN_AFTER = 60.0


async def follow_ended_sessions(
    client: Client, revoked: RevokedSessions, settings: ServiceSettings, caught_up: asyncio.Event
) -> None:
    """Runs for ever beside an API. A consumer of its own: every process hears every event.

    ``caught_up`` is set when everything was heard that ended while the process was not there.
    """
    while True:
        try:
            await _follow(client, revoked, settings, caught_up)
        except (NatsError, OSError, TimeoutError) as error:
            logger.warning("session_follower_lost_broker", error=type(error).__name__)
        await asyncio.sleep(1)


async def _follow(
    client: Client, revoked: RevokedSessions, settings: ServiceSettings, caught_up: asyncio.Event
) -> None:
    """Until the connection breaks or the consumer vanishes; then who calls looks back anew. Raises: NatsError, TimeoutError."""
    # What was on its way when a connection broke is not sent again: nothing is acknowledged here.
    reconnects = client.stats["reconnects"]
    subscription = await _subscribe(client.jetstream(), settings)
    try:
        waiting = (await subscription.consumer_info()).num_pending or 0
        while client.stats["reconnects"] == reconnects:
            end_if_cancelled()
            if not waiting:
                caught_up.set()
            # One at a time when none waits: a fetch of several would hold the first back for the others.
            wanted = min(max(waiting, 1), _BATCH)
            try:
                messages = await subscription.fetch(wanted, timeout=_FETCH_SECONDS)
            except TimeoutError:
                # Also how a consumer that vanished with its server shows itself: ask for it.
                waiting = (await subscription.consumer_info()).num_pending or 0
                continue
            for message in messages:
                _hear(message, revoked)
                waiting = message.metadata.num_pending
    finally:
        with contextlib.suppress(NatsError, OSError):
            await subscription.unsubscribe()


async def _subscribe(
    jetstream: JetStreamContext, settings: ServiceSettings
) -> JetStreamContext.PullSubscription:
    """From a little before the oldest token that can still be alive. Raises: NatsError, TimeoutError."""
    await ensure_stream(jetstream, "identity", settings)
    return await jetstream.pull_subscribe(
        SessionEnded.subject,
        stream=stream_of(SessionEnded),
        config=ConsumerConfig(
            deliver_policy=DeliverPolicy.BY_START_TIME,
            opt_start_time=(utc_now() - _LOOK_BACK).isoformat().replace("+00:00", "Z"),  # type: ignore[arg-type]
            ack_policy=AckPolicy.NONE,
            inactive_threshold=_FORGOTTEN_AFTER,
            num_replicas=1,
            mem_storage=True,
        ),
    )


def _hear(message: Msg, revoked: RevokedSessions) -> None:
    with contextlib.suppress(ValidationError):
        event = CloudEvent[SessionEnded].model_validate_json(message.data)
        revoked.add(str(event.data.session_id))
