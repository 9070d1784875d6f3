"""What the gateway's Python part is made of. The bytes of requests to services never pass through it: Envoy carries those."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from fastapi import FastAPI

from gateway_service.db import Base
from gateway_service.export.routes import router as export_router
from gateway_service.home.routes import router as home_router
from gateway_service.portal.documents import ServiceDocuments
from gateway_service.portal.health import ServiceHealth
from gateway_service.portal.routes import router as portal_router
from gateway_service.settings import Settings
from gateway_service.webhooks.routes import router as webhooks_router
from gateway_service.worker import background, subscribers
from service_common.app import Service

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"

DESCRIPTION = """\
The gateway's own part: documents of all services in one place, webhooks for departments' systems, one call for the
home screen of the app, and one for a copy of one's data. Every other request goes from the edge straight to its service.
"""


def define_service(settings: Settings | None = None) -> Service:
    """The service with its settings, from the environment unless given."""
    settings = settings or Settings()
    return Service(
        name="gateway",
        title="Lianban gateway 网关",
        description=DESCRIPTION,
        settings=settings,
        routers=(portal_router, home_router, export_router, webhooks_router),
        migrations=MIGRATIONS,
        metadata=Base.metadata,
        subscribers=subscribers,
        background=background,
        start=_know_the_services,
        publishes=False,
    )


@contextlib.asynccontextmanager
async def _know_the_services(app: FastAPI) -> AsyncIterator[None]:
    settings: Settings = app.state.settings
    app.state.documents = ServiceDocuments(settings.service_urls, app.state.http)
    app.state.service_health = ServiceHealth(settings.service_urls, app.state.http)
    yield
