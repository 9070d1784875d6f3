"""Alembic's environment: every slice's rows in one metadata."""

from evaluation_service.db import Base
from evaluation_service.indicators import models as indicators
from evaluation_service.invitations import models as invitations
from evaluation_service.rectifications import models as rectifications
from evaluation_service.reviews import models as reviews
from service_common.migrations import run_env

SLICES = (indicators, invitations, rectifications, reviews)

run_env(Base.metadata)
