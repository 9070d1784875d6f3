"""Alembic's environment: every slice's rows in one metadata."""

from hotline_service.db import Base
from hotline_service.departments import models as departments
from hotline_service.numbering import models as numbering
from hotline_service.tickets import models as tickets
from service_common.migrations import run_env

SLICES = (departments, numbering, tickets)

run_env(Base.metadata)
