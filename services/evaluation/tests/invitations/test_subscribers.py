"""Invitations from the saved sample events: twice, out of order, at once."""

import asyncio
import json
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from evaluation_service.indicators.domain import Dimension
from evaluation_service.indicators.handlers import find_drift, read_indicators
from evaluation_service.invitations.domain import InvitationState
from evaluation_service.invitations.handlers import expire_invitations, invite_late
from evaluation_service.invitations.models import Invitation
from evaluation_service.invitations.subscribers import invitation_subscribers
from evaluation_service.legal_persons.subscribers import SUBSCRIBERS as LEGAL_PERSONS
from service_common.clock import utc_now
from service_common.contracts.envelope import CloudEvent
from service_common.crypto import KeyRing
from service_common.db import Database, new_id
from service_common.messaging import Subscriber, apply, handle_once
from service_common.tables import outbox

SAMPLES = Path(__file__).parents[4] / "tests/contracts/samples"


@pytest.fixture
def subscribers(ring: KeyRing) -> dict[str, Subscriber[Any]]:
    return {one.name: one for one in invitation_subscribers(ring, valid_days=10)}


def event(subscriber: Subscriber[Any], revision: int = 1, **changes: Any) -> CloudEvent[Any]:
    sample = json.loads((SAMPLES / f"{subscriber.event.subject}.json").read_text())
    sample |= {"id": str(new_id()), "revision": revision, "data": sample["data"] | changes}
    return subscriber.read(json.dumps(sample).encode())


async def invitations(session: AsyncSession) -> list[Invitation]:
    return list(await session.scalars(select(Invitation).order_by(Invitation.contact_no)))


async def test_the_same_event_twice_invites_once(
    session: AsyncSession, subscribers: dict[str, Subscriber[Any]]
) -> None:
    for name in ("evaluation-case-finished", "evaluation-ticket-closed", "evaluation-case-not-accepted"):
        subscriber = subscribers[name]
        one = event(subscriber, 1, case_id=str(new_id()), ticket_id=str(new_id()))
        assert await apply(session, subscriber, one)
        assert not await apply(session, subscriber, one)
    assert len(await invitations(session)) == 3


async def test_one_contact_told_by_two_events_is_invited_once(
    session: AsyncSession, subscribers: dict[str, Subscriber[Any]]
) -> None:
    case = str(new_id())
    for name in ("evaluation-case-finished", "evaluation-case-not-accepted"):
        assert await apply(session, subscribers[name], event(subscribers[name], case_id=case))
    assert len(await invitations(session)) == 1
    events = (await session.execute(select(outbox.c.subject, outbox.c.event))).all()
    assert [row.subject for row in events] == ["gov.evaluation.invitation.created.v1"]


async def test_contacts_that_arrive_in_the_wrong_order_are_all_invited(
    session: AsyncSession, subscribers: dict[str, Subscriber[Any]]
) -> None:
    subscriber, ticket = subscribers["evaluation-ticket-closed"], str(new_id())
    await apply(session, subscriber, event(subscriber, 8, ticket_id=ticket, contact_no=2))
    await apply(session, subscriber, event(subscriber, 4, ticket_id=ticket, contact_no=1))
    assert [one.contact_no for one in await invitations(session)] == [1, 2]


async def test_a_caller_without_an_account_is_not_invited(
    session: AsyncSession, subscribers: dict[str, Subscriber[Any]]
) -> None:
    subscriber = subscribers["evaluation-ticket-closed"]
    await apply(session, subscriber, event(subscriber, person_id=None))
    assert await invitations(session) == []


async def test_who_acted_for_a_person_does_not_judge_in_their_name(
    session: AsyncSession, subscribers: dict[str, Subscriber[Any]]
) -> None:
    subscriber, principal = subscribers["evaluation-case-finished"], str(new_id())
    one = event(subscriber, applicant_kind="NATURAL_PERSON", applicant_id=principal)
    await apply(session, subscriber, one)
    data = await session.scalar(select(outbox.c.event["data"]))
    assert data is not None
    assert (data["person_id"], str(one.data.submitted_by) == principal) == (principal, False)


COMPANY, OWNER, AGENT, HELPER = (str(UUID(int=number)) for number in (1, 2, 3, 4))


async def hear(session: AsyncSession, *news: tuple[str, int, dict[str, Any]]) -> None:
    """News of identity about the company, each with its revision."""
    listening = {one.name: one for one in LEGAL_PERSONS}
    for name, revision, facts in news:
        subscriber = listening[name]
        await apply(session, subscriber, event(subscriber, revision, legal_person_id=COMPANY, **facts))


async def invited(
    session: AsyncSession, subscribers: dict[str, Subscriber[Any]], *, submitted_by: str
) -> list[str]:
    """Whom a finished case of the company invites."""
    subscriber = subscribers["evaluation-case-finished"]
    facts: dict[str, Any] = {
        "applicant_kind": "LEGAL_PERSON",
        "applicant_id": COMPANY,
        "case_id": str(new_id()),
    }
    await apply(session, subscriber, event(subscriber, **facts, submitted_by=submitted_by))
    told = await session.scalars(select(outbox.c.event["data"]).order_by(outbox.c.id))
    return [one["person_id"] for one in told]


REGISTERED = ("evaluation-legal-person-registered", 1, {"representative_id": OWNER})
APPOINTED = ("evaluation-agent-appointed", 2, {"person_id": AGENT, "valid_until": None})


async def test_for_a_legal_person_whoever_submitted_and_acts_for_it_is_invited(
    session: AsyncSession, subscribers: dict[str, Subscriber[Any]]
) -> None:
    await hear(session, REGISTERED, APPOINTED)
    assert await invited(session, subscribers, submitted_by=AGENT) == [AGENT]
    rows = await session.execute(text("SELECT to_jsonb(invitations)::text FROM invitations"))
    assert AGENT not in rows.scalar_one()


async def test_when_staff_handed_in_for_a_company_its_representative_is_invited(
    session: AsyncSession, subscribers: dict[str, Subscriber[Any]]
) -> None:
    await hear(session, REGISTERED, APPOINTED)
    assert await invited(session, subscribers, submitted_by=HELPER) == [OWNER]


@pytest.mark.parametrize(
    "ended",
    [
        ("evaluation-agent-revoked", 3, {"person_id": AGENT}),
        ("evaluation-agent-appointed", 3, {"person_id": AGENT, "valid_until": "2020-01-01T00:00:00Z"}),
        ("evaluation-representative-changed", 3, {"representative_id": OWNER, "former_id": HELPER}),
    ],
)
async def test_who_no_longer_acts_for_it_is_not_asked_whichever_news_came_first(
    session: AsyncSession, subscribers: dict[str, Subscriber[Any]], ended: tuple[str, int, dict[str, Any]]
) -> None:
    await hear(session, ended, APPOINTED, REGISTERED)
    expected = [OWNER]
    assert await invited(session, subscribers, submitted_by=AGENT) == expected


async def test_a_contact_of_whom_nobody_is_known_counts_once_as_not_invited(
    session: AsyncSession, subscribers: dict[str, Subscriber[Any]]
) -> None:
    subscriber = subscribers["evaluation-case-finished"]
    facts: dict[str, Any] = {
        "applicant_kind": "LEGAL_PERSON",
        "applicant_id": COMPANY,
        "submitted_by": HELPER,
    }
    for _ in range(2):
        await apply(session, subscriber, event(subscriber, **facts))
    assert await session.scalar(select(outbox.c.event)) is None
    [row] = await invitations(session)
    assert (row.state, row.person_index) == (InvitationState.UNINVITED, None)
    assert await expire_invitations(session, now=utc_now() + timedelta(days=90)) == 0
    [indicator] = await read_indicators(
        session, Dimension.DEPARTMENT, first="2000-01", last="2999-12", limit=5
    )
    assert (indicator.counts.contacts, indicator.counts.uninvited, indicator.counts.defaults) == (1, 1, 0)
    assert indicator.counts.coverage_rate == 0.0
    assert await find_drift(session) == []


async def test_news_of_a_legal_person_that_come_after_its_case_invite_late_and_once(
    session: AsyncSession, subscribers: dict[str, Subscriber[Any]], ring: KeyRing
) -> None:
    """Two streams, no order between them: after an outage the case may be heard of first."""
    assert await invited(session, subscribers, submitted_by=AGENT) == []
    assert await invite_late(session, ring, valid_days=10, now=utc_now()) == 0
    await hear(session, APPOINTED, REGISTERED)
    assert await invite_late(session, ring, valid_days=10, now=utc_now()) == 1
    assert await invite_late(session, ring, valid_days=10, now=utc_now()) == 0
    assert list(await session.scalars(select(outbox.c.event["data"]["person_id"].astext))) == [AGENT]
    [row] = await invitations(session)
    assert (row.state, row.legal_person_id, row.submitted_sealed) == (InvitationState.OPEN, None, None)
    assert await find_drift(session) == []


async def test_two_deliveries_at_once_invite_once(
    database: Database, subscribers: dict[str, Subscriber[Any]]
) -> None:
    subscriber, case = subscribers["evaluation-case-finished"], str(new_id())
    await asyncio.gather(
        *(handle_once(database, subscriber, event(subscriber, case_id=case)) for _ in range(6))
    )
    async with database.sessions() as session:
        rows = await session.scalars(select(Invitation).where(Invitation.contact_id == case))
        assert len(rows.all()) == 1
