"""Invitations from the saved sample events: twice, out of order, at once."""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession

from evaluation_service.invitations.models import Invitation
from evaluation_service.invitations.subscribers import invitation_subscribers
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


async def test_for_a_legal_person_the_invitation_is_for_whoever_submitted(
    session: AsyncSession, subscribers: dict[str, Subscriber[Any]]
) -> None:
    subscriber = subscribers["evaluation-case-finished"]
    one = event(subscriber, applicant_kind="LEGAL_PERSON", applicant_id=str(new_id()))
    await apply(session, subscriber, one)
    data = await session.scalar(select(outbox.c.event["data"]))
    assert data is not None
    assert data["person_id"] == str(one.data.submitted_by)
    rows = await session.execute(text("SELECT to_jsonb(invitations)::text FROM invitations"))
    assert str(one.data.submitted_by) not in rows.scalar_one()


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
