"""Everything acceptance listens to, and what it does by itself."""

from collections.abc import Sequence
from typing import Any

from fastapi import FastAPI

from acceptance_service.applications.subscribers import SUBSCRIBERS as LICENCES
from acceptance_service.cases import subscribers as cases
from acceptance_service.departments.models import Department, StaffMember
from acceptance_service.submissions import subscribers as submissions
from acceptance_service.supervision.sweeper import sweep_forever
from service_common.app import Background
from service_common.departments import departments_subscriber, staff_subscriber
from service_common.messaging import Subscriber


def subscribers(app: FastAPI) -> Sequence[Subscriber[Any]]:
    """Who listens to what."""
    return (
        departments_subscriber("acceptance", Department),
        staff_subscriber("acceptance", StaffMember),
        *LICENCES,
        *cases.subscribers(app),
        *submissions.subscribers(app),
    )


background: Sequence[Background] = (sweep_forever,)
