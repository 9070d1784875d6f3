"""Everything the hotline listens to."""

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI

from hotline_service.departments.subscribers import SUBSCRIBERS as DEPARTMENTS
from service_common.messaging import Subscriber


def subscribers(_app: FastAPI) -> Sequence[Subscriber[Any]]:
    """Who listens to what."""
    return DEPARTMENTS
