"""The factory that makes every service's application the same way around its own routers."""

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Depends, FastAPI, Request, Response
from nats.aio.client import Client
from sqlalchemy import MetaData

from service_common.backlog import watch_backlog
from service_common.clock import utc_now
from service_common.crypto import KeyRing
from service_common.db import Database
from service_common.dpop import SeenProofs
from service_common.health import health_router
from service_common.http import plain_client
from service_common.idempotency import IdempotentRoute, StoredAnswer
from service_common.jobs import cancel_all
from service_common.messaging import Consumer, Subscriber
from service_common.middleware import BodyLimit, RequestId, VersionHeader
from service_common.openapi import API_VERSION, serve_openapi
from service_common.problem import ErrorPage, install_problem_rendering
from service_common.relay import Relay
from service_common.revisions import migration_head
from service_common.sessions import follow_ended_sessions
from service_common.settings import ServiceSettings
from service_common.streams import connect
from service_common.telemetry import REQUEST_TELEMETRY
from service_common.tokens import IssuerKeys, RevokedSessions, TokenVerifier

logger = structlog.get_logger()

# Far above any form; files have routes of their own with their own limit.
_LARGEST_JSON_BODY = 1024 * 1024

# How long a process that starts waits for the broker before it goes on without.
_BROKER_PATIENCE_SECONDS = 5

Background = Callable[[FastAPI], Coroutine[Any, Any, None]]
Job = Callable[[], Coroutine[Any, Any, None]]


@dataclass(frozen=True)
class Service:
    """What makes one service different from the next.

    ``subscribers`` and ``background`` run in the worker role; ``start`` prepares ``app.state`` in both roles. Bodies are
    limited to 1 MiB but for ``body_limits`` (path prefix, bytes); routes below ``large_body_prefixes`` count for themselves.
    ``error_page`` shows errors to browsers, where there are pages.
    """

    name: str
    title: str
    description: str
    settings: ServiceSettings
    routers: Sequence[APIRouter]
    migrations: Path
    metadata: MetaData
    subscribers: Callable[[FastAPI], Sequence[Subscriber[Any]]] = lambda _app: ()
    background: Sequence[Background] = ()
    start: Callable[[FastAPI], contextlib.AbstractAsyncContextManager[None]] | None = None
    publishes: bool = True
    large_body_prefixes: tuple[str, ...] = ()
    body_limits: tuple[tuple[str, int], ...] = ()
    error_page: ErrorPage | None = None


def api_router(tag: str, *, prefix: str = "") -> APIRouter:
    """A router of a slice: one tag, and routes that can keep their answer for ``Idempotency-Key``."""
    return APIRouter(prefix=prefix, tags=[tag], route_class=IdempotentRoute)


async def _now(request: Request) -> datetime:
    now: datetime = request.app.state.now()
    return now


Now = Annotated[datetime, Depends(_now)]


def key_ring(settings: ServiceSettings) -> KeyRing:
    """The column-encryption keys of a service."""
    return KeyRing.parse(settings.data_keys.get_secret_value(), settings.index_key.get_secret_value())


async def _ring_of(request: Request) -> KeyRing:
    ring: KeyRing = request.app.state.key_ring
    return ring


Ring = Annotated[KeyRing, Depends(_ring_of)]


def create_app(service: Service, *, worker: bool, api: bool = True) -> FastAPI:
    """One process of a service. With ``worker`` it also relays, consumes and runs the background work."""
    settings = service.settings

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with contextlib.AsyncExitStack() as stack:
            database = Database.connect(settings)
            stack.push_async_callback(database.close)
            http = await stack.enter_async_context(plain_client())
            revoked = RevokedSessions()
            app.state.database = database
            app.state.seen_proofs = SeenProofs(database)
            app.state.http = http
            app.state.revoked_sessions = revoked
            app.state.token_verifier = TokenVerifier(
                issuer=settings.issuer,
                audience=f"urn:lianban:{service.name}",
                keys=IssuerKeys(f"{settings.identity_url}/identity/jwks", http),
                revoked=revoked,
            )
            client, connecting = await stack.enter_async_context(_broker(settings, service.name))
            app.state.nats = client
            if service.start:
                await stack.enter_async_context(service.start(app))
            jobs: list[Job] = []
            with_broker: list[Job] = []
            caught_up = asyncio.Event()
            if api:
                with_broker.append(partial(follow_ended_sessions, client, revoked, settings, caught_up))
            if worker:
                if service.publishes:
                    jobs.append(partial(watch_backlog, database))
                    with_broker.append(Relay(service.name, settings, database, client).run)
                with_broker += [
                    Consumer(one, settings, database, client).run for one in service.subscribers(app)
                ]
                jobs += [partial(run, app) for run in service.background]
            jobs += [partial(_once_connected, connecting, job) for job in with_broker]
            await stack.enter_async_context(_running(jobs))
            if api and connecting.done():
                await _wait_a_little(caught_up)
            yield

    app = FastAPI(
        title=service.title,
        description=service.description,
        version=API_VERSION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        telemetry=REQUEST_TELEMETRY,
    )
    _describe(app, service, api=api)
    app.include_router(health_router)
    if api:
        for router in service.routers:
            app.include_router(router)
        serve_openapi(app, service.name)
    install_problem_rendering(app)
    app.add_exception_handler(StoredAnswer, _on_stored_answer)
    app.add_middleware(
        BodyLimit, limit=_LARGEST_JSON_BODY, exempt=service.large_body_prefixes, larger=service.body_limits
    )
    app.add_middleware(VersionHeader)
    app.add_middleware(RequestId)
    return app


def _describe(app: FastAPI, service: Service, *, api: bool) -> None:
    """What is known of a process before it starts."""
    app.state.service = service
    app.state.error_page = service.error_page
    app.state.settings = service.settings
    app.state.key_ring = key_ring(service.settings)
    app.state.now = utc_now
    app.state.migration_head = migration_head(service.migrations)
    app.state.nats = None
    app.state.answers_http = api


@contextlib.asynccontextmanager
async def _broker(
    settings: ServiceSettings, name: str
) -> AsyncIterator[tuple[Client, "asyncio.Task[Client]"]]:
    """Tries for ever to reach the broker, but keeps nobody waiting long: an API answers without it."""
    client = Client()
    connecting = asyncio.create_task(connect(settings, name, client))
    try:
        await asyncio.wait({connecting}, timeout=_BROKER_PATIENCE_SECONDS)
        yield client, connecting
    finally:
        await cancel_all({connecting})
        # A broker lost a moment ago takes no last bytes; what matters is in the outbox, or comes again.
        with contextlib.suppress(OSError):
            await client.close()


async def _wait_a_little(caught_up: asyncio.Event) -> None:
    """Nobody is answered before it is known whose session ended while this process was not there, unless that takes long."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_BROKER_PATIENCE_SECONDS):
            await caught_up.wait()


async def _once_connected(connecting: "asyncio.Task[Client]", job: Job) -> None:
    await asyncio.shield(connecting)
    await job()


@contextlib.asynccontextmanager
async def _running(jobs: Sequence[Job]) -> AsyncIterator[None]:
    """Runs jobs beside the application. One that ends or fails takes the process with it: the supervisor restarts it."""
    tasks = {asyncio.create_task(job()) for job in jobs}
    for task in tasks:
        task.add_done_callback(_end_process_unless_cancelled)
    try:
        yield
    finally:
        await cancel_all(tasks)


def _end_process_unless_cancelled(task: "asyncio.Task[None]") -> None:
    if task.cancelled():
        return
    logger.critical("background_job_ended", exc_info=task.exception())
    os.kill(os.getpid(), signal.SIGTERM)


async def _on_stored_answer(_request: Request, error: Exception) -> Response:
    assert isinstance(error, StoredAnswer)
    return error.response()
