"""Alembic's environment: every slice's rows in one metadata."""

from gateway_service.db import Base
from gateway_service.webhooks import models as webhooks
from service_common.migrations import run_env

SLICES = (webhooks,)

run_env(Base.metadata)
