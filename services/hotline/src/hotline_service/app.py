"""What the hotline is made of."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from fastapi import FastAPI

from hotline_service.db import Base
from hotline_service.settings import Settings
from hotline_service.suggestions.classifier import load_classifier
from hotline_service.suggestions.duties import load_duty_list
from hotline_service.tickets.clocks import load_clock_table
from hotline_service.tickets.export_routes import router as export
from hotline_service.tickets.routes import router as tickets
from hotline_service.worker import background, subscribers
from service_common.app import Service

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"

DESCRIPTION = """\
The hotline 12345 政务服务便民热线: tickets of citizens from the app and from the telephone, topic and department suggested by
a classifier and decided by a person, dispatch, signing, return with its basis, answer, closing and call-back, each on its
clock. Reports 举报 hide their caller from the department that handles them.
"""


def define_service(settings: Settings | None = None) -> Service:
    """The service with its settings, from the environment unless given."""
    settings = settings or Settings()

    @contextlib.asynccontextmanager
    async def start(app: FastAPI) -> AsyncIterator[None]:
        """Data files are read once, so that a broken one stops the start and not a citizen."""
        app.state.clock_table = load_clock_table(settings.clocks_file)
        app.state.classifier = load_classifier(settings.classifier_file)
        app.state.duty_list = load_duty_list(settings.duty_list_file)
        yield

    return Service(
        name="hotline",
        title="Lianban hotline 12345 政务服务便民热线",
        description=DESCRIPTION,
        settings=settings,
        routers=(tickets, export),
        migrations=MIGRATIONS,
        metadata=Base.metadata,
        subscribers=subscribers,
        background=background,
        start=start,
    )
