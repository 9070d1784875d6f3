"""Log-outs heard by every API process: access tokens of an ended session are refused within a second."""

import asyncio
import contextlib
from datetime import timedelta

import structlog
from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.errors import TimeoutError as NatsTimeoutError
from nats.js.api import ConsumerConfig, DeliverPolicy
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


async def follow_ended_sessions(client: Client, revoked: RevokedSessions, settings: ServiceSettings) -> None:
    """Runs for ever beside an API. An ephemeral ordered consumer: every process hears every event."""
    jetstream = client.jetstream()
    while True:
        # A broker that was killed has forgotten an ephemeral consumer, and tells nobody: subscribe anew after each reconnect.
        reconnects = client.stats["reconnects"]
        try:
            await ensure_stream(jetstream, "identity", settings)
            subscription = await jetstream.subscribe(
                SessionEnded.subject,
                stream=stream_of(SessionEnded),
                ordered_consumer=True,
                config=ConsumerConfig(
                    deliver_policy=DeliverPolicy.BY_START_TIME,
                    opt_start_time=(utc_now() - _LOOK_BACK).isoformat().replace("+00:00", "Z"),  # type: ignore[arg-type]
                ),
            )
            while client.stats["reconnects"] == reconnects:
                end_if_cancelled()
                try:
                    message = await subscription.next_msg(timeout=1)
                except NatsTimeoutError:
                    continue
                with contextlib.suppress(ValidationError):
                    event = CloudEvent[SessionEnded].model_validate_json(message.data)
                    revoked.add(str(event.data.session_id))
            await subscription.unsubscribe()
        except (NatsError, OSError, TimeoutError) as error:
            logger.warning("session_follower_lost_broker", error=type(error).__name__)
        await asyncio.sleep(1)
