"""Everything acceptance listens to, and what it does by itself."""

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI

from acceptance_service.departments import subscribers as departments
from service_common.app import Background
from service_common.messaging import Subscriber


def subscribers(_app: FastAPI) -> Sequence[Subscriber[Any]]:
    """Who listens to what."""
    return departments.SUBSCRIBERS


background: Sequence[Background] = ()
