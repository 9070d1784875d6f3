"""Alembic's environment: every slice's rows in one metadata."""

from certificates_service.db import Base
from certificates_service.departments import models as departments
from certificates_service.licences import models as licences
from certificates_service.presentation import models as presentation
from certificates_service.signing import models as signing
from certificates_service.types import models as types
from certificates_service.uses import models as uses
from service_common.migrations import run_env

SLICES = (departments, licences, presentation, signing, types, uses)

run_env(Base.metadata)
