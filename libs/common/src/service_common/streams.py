"""The JetStream streams: one per producing service, declared here and made sure of at start."""

from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import RetentionPolicy, StorageType, StreamConfig
from nats.js.errors import NotFoundError

from service_common.contracts.registry import PRODUCERS
from service_common.settings import ServiceSettings

# JetStream forgets message ids after this window (seconds). It must outlast a relay's retries after a lost
# acknowledgement; the inbox of each consumer catches what comes later.
_DUPLICATE_WINDOW_SECONDS = 600


async def connect(settings: ServiceSettings, name: str, client: Client | None = None) -> Client:
    """Connects and keeps reconnecting for ever: a broker that restarts must not end a service."""
    client = client or Client()
    await client.connect(
        settings.nats_url.get_secret_value(),
        name=name,
        max_reconnect_attempts=-1,
        reconnect_time_wait=1,
        connect_timeout=5,
        ping_interval=10,
        max_outstanding_pings=2,
        error_cb=_ignore,
    )
    return client


async def _ignore(_error: Exception) -> None:
    """nats-py reports each broken connection here; readiness and metrics say it better."""


def stream_config(producer: str, settings: ServiceSettings) -> StreamConfig:
    """How the stream of one service is kept."""
    return StreamConfig(
        name=producer.upper(),
        subjects=[f"gov.{producer}.>"],
        retention=RetentionPolicy.LIMITS,
        storage=StorageType.FILE,
        num_replicas=settings.stream_replicas,
        max_bytes=settings.stream_max_bytes,
        max_age=settings.outbox_retention_days * 86_400,
        duplicate_window=_DUPLICATE_WINDOW_SECONDS,
        deny_delete=True,
    )


async def ensure_stream(jetstream: JetStreamContext, producer: str, settings: ServiceSettings) -> None:
    """Creates the stream of a service, or leaves the one that is there."""
    try:
        await jetstream.stream_info(producer.upper())
    except NotFoundError:
        await jetstream.add_stream(stream_config(producer, settings))


async def ensure_streams(jetstream: JetStreamContext, settings: ServiceSettings) -> None:
    """Creates every stream that is missing. Safe to run at once from several services."""
    for producer in PRODUCERS:
        await ensure_stream(jetstream, producer, settings)
