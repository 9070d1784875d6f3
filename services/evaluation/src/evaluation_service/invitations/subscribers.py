"""Service contacts heard of from acceptance and the hotline."""

from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from evaluation_service.invitations.domain import Contact
from evaluation_service.invitations.handlers import Served, count_uninvited, invite
from evaluation_service.legal_persons.handlers import who_reviews
from service_common.clock import utc_now
from service_common.contracts.acceptance import CaseFacts, CaseFinished, CaseNotAccepted, HolderKind
from service_common.contracts.envelope import CloudEvent
from service_common.contracts.evaluation import ContactKind
from service_common.contracts.hotline import TicketClosed
from service_common.crypto import KeyRing
from service_common.messaging import Subscriber


async def on_case_ended(
    session: AsyncSession, event: CloudEvent[CaseFacts], *, ring: KeyRing, valid_days: int
) -> None:
    """Invites the applicant; for a legal person whoever acts for it, and nobody where nobody is known.

    Somebody who acted for a person does not judge in their name, least of all a clerk who helped 帮代办. The window begins now:
    an outage of ours costs nobody a day.
    """
    facts, now = event.data, utc_now()
    invited: UUID | None = facts.applicant_id
    if facts.applicant_kind is HolderKind.LEGAL_PERSON:
        invited = await who_reviews(session, facts.applicant_id, submitted_by=facts.submitted_by, now=now)
    contact = Contact(
        kind=ContactKind.CASE,
        id=facts.case_id,
        number=facts.contact_no,
        reference=facts.project_no,
        department_id=facts.department_id,
        division=facts.division,
        item_code=facts.item_code,
        item_name=facts.item_name,
    )
    if invited is None:
        served = Served(facts.applicant_id, facts.submitted_by)
        await count_uninvited(session, ring, contact, served, valid_days=valid_days, now=now)
    else:
        await invite(session, ring, contact, person_id=invited, valid_days=valid_days, now=now)


async def on_ticket_closed(
    session: AsyncSession, event: CloudEvent[TicketClosed], *, ring: KeyRing, valid_days: int
) -> None:
    """Invites the person of the ticket. A caller on the telephone has no account: the call-back asks instead."""
    facts = event.data
    if facts.person_id is None or facts.department_id is None:
        return
    contact = Contact(
        kind=ContactKind.TICKET,
        id=facts.ticket_id,
        number=facts.contact_no,
        reference=facts.ticket_no,
        department_id=facts.department_id,
        division=facts.division,
    )
    await invite(session, ring, contact, person_id=facts.person_id, valid_days=valid_days, now=utc_now())


def invitation_subscribers(ring: KeyRing, *, valid_days: int) -> Sequence[Subscriber[Any]]:
    """Whoever ends a service contact."""
    on_case = partial(on_case_ended, ring=ring, valid_days=valid_days)
    on_ticket = partial(on_ticket_closed, ring=ring, valid_days=valid_days)
    return (
        Subscriber(name="evaluation-case-finished", event=CaseFinished, handler=on_case),
        Subscriber(name="evaluation-case-not-accepted", event=CaseNotAccepted, handler=on_case),
        Subscriber(name="evaluation-ticket-closed", event=TicketClosed, handler=on_ticket),
    )
