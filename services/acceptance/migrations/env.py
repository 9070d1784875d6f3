"""Alembic's environment: every slice's rows in one metadata."""

from acceptance_service.catalogue import models as catalogue
from acceptance_service.db import Base
from acceptance_service.departments import models as departments
from acceptance_service.search import models as search
from service_common.migrations import run_env

SLICES = (catalogue, departments, search)

run_env(Base.metadata)
