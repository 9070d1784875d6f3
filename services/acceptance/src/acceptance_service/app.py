"""What acceptance is made of."""

from pathlib import Path

from acceptance_service.settings import Settings
from acceptance_service.worker import background, subscribers
from service_common.app import Service

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"

DESCRIPTION = """\
Unified acceptance 统一受理: the catalogue of service items, bundles 一件事 with their scenario questions, applications,
cases and tasks of every department, deadlines and supervision.
"""


def define_service(settings: Settings | None = None) -> Service:
    """The service with its settings, from the environment unless given."""
    return Service(
        name="acceptance",
        title="Lianban acceptance 统一受理",
        description=DESCRIPTION,
        settings=settings or Settings(),
        routers=(),
        migrations=MIGRATIONS,
        subscribers=subscribers,
        background=background,
        large_body_prefixes=("/acceptance/v1/catalogue/imports",),
    )
