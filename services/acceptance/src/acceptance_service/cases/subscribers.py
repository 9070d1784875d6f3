"""What acceptance does about its own cases when they are submitted or decided, and when a licence is issued."""

from uuid import UUID

from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncSession

from acceptance_service.cases.handlers.completing import (
    after_decision,
    licence_arrived,
    order_licence,
    read_licence_wish,
)
from acceptance_service.cases.handlers.deciding import decide_by_rule
from service_common.clock import utc_now
from service_common.contracts.acceptance import CaseDecided, CaseSubmitted
from service_common.contracts.certificates import LicenceIssued
from service_common.contracts.envelope import CloudEvent
from service_common.messaging import Subscriber


def subscribers(
    app: FastAPI,
) -> tuple[Subscriber[CaseSubmitted], Subscriber[CaseDecided], Subscriber[LicenceIssued]]:
    """Bound to the application's keys, database and clients, which exist once it has started."""

    async def decide_instantly(session: AsyncSession, event: CloudEvent[CaseSubmitted]) -> None:
        """秒批: the item's rule decides at once, or leaves the case to people."""
        await decide_by_rule(session, app.state.key_ring, event.data.case_id, now=utc_now())

    async def have_licence_issued(event: CloudEvent[CaseDecided]) -> UUID | None:
        """Outside any transaction; the case id makes a repetition harmless."""
        if event.data.licence_type_code is None:
            return None
        wish = await read_licence_wish(app.state.database, app.state.key_ring, event.data.case_id)
        if wish is None:
            return None
        return await order_licence(wish, app.state.certificates, app.state.identity)

    async def go_on(session: AsyncSession, event: CloudEvent[CaseDecided], licence_id: UUID | None) -> None:
        """CERTIFYING while the licence is on its way, else straight to delivery."""
        if event.data.licence_type_code is not None and licence_id is None:
            return  # the licence has arrived already
        await after_decision(session, app.state.key_ring, event.data.case_id, licence_id, now=utc_now())

    async def deliver_licence(session: AsyncSession, event: CloudEvent[LicenceIssued]) -> None:
        """The result of a case is in the library."""
        if event.data.case_id is not None:
            await licence_arrived(session, app.state.key_ring, event.data.case_id, event.data, now=utc_now())

    return (
        Subscriber("acceptance-instant-approval", CaseSubmitted, decide_instantly),
        Subscriber("acceptance-after-decision", CaseDecided, go_on, prepare=have_licence_issued),
        Subscriber("acceptance-licence-of-case", LicenceIssued, deliver_licence),
    )
