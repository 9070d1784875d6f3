"""Events that concern a department, on their way to its own systems."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from gateway_service.webhooks import handlers
from gateway_service.webhooks.domain import EventType
from service_common.clock import utc_now
from service_common.contracts import acceptance, certificates, evaluation, hotline
from service_common.contracts.envelope import CloudEvent, Event
from service_common.messaging import Subscriber


@dataclass(frozen=True, slots=True)
class _Told:
    """What of an event a department is told: that it happened, and where to read the rest."""

    event: type[Event]
    event_type: EventType
    department: Callable[[Any], UUID | None]
    resource_id: Callable[[Any], UUID]
    path: Callable[[Any], str]


def _case(event: type[Event], event_type: EventType) -> _Told:
    return _Told(
        event,
        event_type,
        department=lambda case: case.department_id,
        resource_id=lambda case: case.case_id,
        path=lambda case: f"/acceptance/v1/cases/{case.case_id}",
    )


def _licence(event: type[Event], event_type: EventType) -> _Told:
    return _Told(
        event,
        event_type,
        department=lambda licence: licence.issuer_department_id,
        resource_id=lambda licence: licence.licence_id,
        path=lambda licence: f"/certificates/v1/licences/{licence.licence_id}",
    )


_TOLD = (
    _case(acceptance.CaseSubmitted, EventType.CASE_SUBMITTED),
    _case(acceptance.CaseWithdrawn, EventType.CASE_WITHDRAWN),
    _case(acceptance.CaseFinished, EventType.CASE_FINISHED),
    _Told(
        acceptance.CardIssued,
        EventType.CARD_ISSUED,
        department=lambda card: card.department_id,
        resource_id=lambda card: card.card_id,
        path=lambda card: (
            f"/acceptance/v1/cases/{card.case_id}"
        ),  # what the department must look at is the case
    ),
    _licence(certificates.LicenceIssued, EventType.LICENCE_ISSUED),
    _licence(certificates.LicenceStatusChanged, EventType.LICENCE_STATUS_CHANGED),
    _Told(
        hotline.TicketDispatched,
        EventType.TICKET_DISPATCHED,
        department=lambda ticket: ticket.department_id,
        resource_id=lambda ticket: ticket.ticket_id,
        path=lambda ticket: f"/hotline/v1/tickets/{ticket.ticket_id}",
    ),
    _Told(
        evaluation.RectificationOpened,
        EventType.RECTIFICATION_OPENED,
        department=lambda rectification: rectification.department_id,
        resource_id=lambda rectification: rectification.rectification_id,
        path=lambda rectification: f"/evaluation/v1/rectifications/{rectification.rectification_id}",
    ),
)


def webhook_subscribers(public_origin: str) -> Sequence[Subscriber[Any]]:
    """One durable consumer for each kind of event that departments can be told of."""
    return [
        Subscriber(
            name=f"gateway-webhooks-{told.event_type.replace('.', '-')}",
            event=told.event,
            handler=partial(_tell, told, public_origin),
        )
        for told in _TOLD
    ]


async def _tell(told: _Told, public_origin: str, session: AsyncSession, event: CloudEvent[Event]) -> None:
    department_id = told.department(event.data)
    if department_id is None:
        return
    await handlers.tell_department(
        session,
        department_id=department_id,
        event_id=event.id,
        event_type=told.event_type,
        occurred_at=event.time,
        data={"id": str(told.resource_id(event.data)), "url": public_origin + told.path(event.data)},
        now=utc_now(),
    )
