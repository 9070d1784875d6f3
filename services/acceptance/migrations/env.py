"""Alembic's environment: every slice's rows in one metadata."""

from acceptance_service.applications import models as applications
from acceptance_service.calendars import models as calendars
from acceptance_service.cases import models as cases
from acceptance_service.catalogue import models as catalogue
from acceptance_service.db import Base
from acceptance_service.departments import models as departments
from acceptance_service.files import models as files
from acceptance_service.numbering import models as numbering
from acceptance_service.progress import models as progress
from acceptance_service.search import models as search
from acceptance_service.supervision import models as supervision
from acceptance_service.window import models as window
from service_common.migrations import run_env

SLICES = (
    applications,
    calendars,
    cases,
    catalogue,
    departments,
    files,
    numbering,
    progress,
    search,
    supervision,
    window,
)

run_env(Base.metadata)
