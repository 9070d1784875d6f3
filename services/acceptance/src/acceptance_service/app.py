"""What acceptance is made of."""

from pathlib import Path

from acceptance_service.bundles.routes import router as bundles_router
from acceptance_service.calendars.routes import router as calendars_router
from acceptance_service.cases.routes import router as cases_router
from acceptance_service.cases.task_routes import router as tasks_router
from acceptance_service.catalogue.admin_routes import router as catalogue_admin_router
from acceptance_service.catalogue.routes import router as catalogue_router
from acceptance_service.db import Base
from acceptance_service.files.routes import router as files_router
from acceptance_service.progress.routes import router as progress_router
from acceptance_service.search.routes import router as search_router
from acceptance_service.settings import Settings
from acceptance_service.starting import start
from acceptance_service.submissions.export_routes import router as export_router
from acceptance_service.submissions.routes import case_router as applicant_case_router
from acceptance_service.submissions.routes import router as applications_router
from acceptance_service.supervision.routes import router as supervision_router
from acceptance_service.window.routes import router as window_router
from acceptance_service.worker import background, subscribers
from service_common.app import Service

MIGRATIONS = Path(__file__).resolve().parents[2] / "migrations"

DESCRIPTION = """\
Unified acceptance 统一受理: the catalogue of service items, bundles 一件事 with their scenario questions, applications,
cases and tasks of every department, deadlines and supervision.
"""


def define_service(settings: Settings | None = None) -> Service:
    """The service with its settings, from the environment unless given."""
    settings = settings or Settings()
    return Service(
        name="acceptance",
        title="Lianban acceptance 统一受理",
        description=DESCRIPTION,
        settings=settings,
        routers=(
            search_router,
            catalogue_router,
            catalogue_admin_router,
            bundles_router,
            applications_router,
            export_router,
            applicant_case_router,
            window_router,
            cases_router,
            tasks_router,
            files_router,
            progress_router,
            supervision_router,
            calendars_router,
        ),
        migrations=MIGRATIONS,
        metadata=Base.metadata,
        subscribers=subscribers,
        background=background,
        start=start,
        body_limits=(
            ("/acceptance/v1/catalogue/imports", 20 * 1024**2),
            # The parts of a multipart body are a little more than the file.
            ("/acceptance/v1/files", settings.upload_limit_bytes + 64 * 1024),
        ),
    )
