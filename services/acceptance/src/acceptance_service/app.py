"""What acceptance is made of."""

from pathlib import Path

from acceptance_service.bundles.routes import router as bundles_router
from acceptance_service.catalogue.admin_routes import router as catalogue_admin_router
from acceptance_service.catalogue.routes import router as catalogue_router
from acceptance_service.search.routes import router as search_router
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
        routers=(
            search_router,
            catalogue_router,
            catalogue_admin_router,
            bundles_router,
        ),
        migrations=MIGRATIONS,
        subscribers=subscribers,
        background=background,
        body_limits=(("/acceptance/v1/catalogue/imports", 20 * 1024**2),),
    )
