"""Messages fed by events of other services: each delivered twice, read in two languages."""

from typing import Any
from uuid import UUID

import httpx
import pytest
from services.identity.tests.factories import Citizen, Population, Tokens
from sqlalchemy import select

from identity_service.db import Transactions
from identity_service.inbox.models import InboxMessage
from identity_service.inbox.subscribers import SUBSCRIBERS
from service_common.clock import utc_now
from service_common.contracts.envelope import CloudEvent
from service_common.db import new_id
from service_common.messaging import Subscriber, apply

CASE = {
    "case_id": str(new_id()),
    "application_id": str(new_id()),
    "project_no": "1143030020261100001",
    "item_code": "11990000LB0000230M2000131001000",
    "item_name": "食品经营许可（新办）",
    "department_id": str(new_id()),
    "division": "430300000000",
    "applicant_kind": "NATURAL_PERSON",
    "contact_no": 1,
}
LICENCE = {
    "licence_id": str(new_id()),
    "identifier": "1.2.156.3005.2.x",
    "type_code": "11990000LB0000230M001",
    "type_name": "食品经营许可证",
    "issuer_department_id": str(new_id()),
    "licence_version": 1,
}
TICKET = {
    "ticket_id": str(new_id()),
    "ticket_no": "RX202611220001",
    "kind": "HELP",
    "division": "430300000000",
}
INVITATION = {"invitation_id": str(new_id())}


def data_for(
    subscriber: Subscriber[Any], person_id: UUID, legal_person_id: UUID | None = None
) -> dict[str, Any]:
    """The event that this subscriber hears, about one person."""
    case = {**CASE, "applicant_id": str(person_id), "submitted_by": str(person_id)}
    application = {
        "application_id": CASE["application_id"],
        "number": "SQ20261122001",
        "applicant_kind": "NATURAL_PERSON",
        "applicant_id": str(person_id),
        "submitted_by": str(person_id),
        "item_codes": ["a", "b"],
        "case_ids": [str(new_id()), str(new_id())],
        "division": "430300000000",
    }
    invitation = {
        **INVITATION,
        "person_id": str(person_id),
        "contact_kind": "CASE",
        "contact_id": CASE["case_id"],
        "contact_no": 1,
        "department_id": CASE["department_id"],
        "expires_at": utc_now().isoformat(),
    }
    agency = {"legal_person_id": str(legal_person_id), "person_id": str(person_id)}
    delegation = {
        "delegation_id": str(new_id()),
        "principal_kind": "NATURAL_PERSON",
        "principal_id": str(person_id),
        "agent_kind": "PERSON",
        "agent_id": str(person_id),
    }
    by_name: dict[str, dict[str, Any]] = {
        "DelegationGranted": {
            **delegation,
            "acts": ["VIEW"],
            "matters": ["acceptance:*"],
            "valid_from": None,
            "valid_until": utc_now().isoformat(),
        },
        "DelegationAccepted": delegation,
        "DelegationRevoked": {**delegation, "by_principal": True},
        "ApplicationSubmitted": application,
        "CaseDecided": {**case, "outcome": "APPROVED"},
        "CaseFinished": {**case, "outcome": "APPROVED"},
        "LicenceIssued": {**LICENCE, "holder_kind": "NATURAL_PERSON", "holder_id": str(person_id)},
        "InvitationCreated": invitation,
        "ReviewerInformed": {**INVITATION, "person_id": str(person_id)},
        "TicketAnswered": {**TICKET, "person_id": str(person_id)},
        "AgentAppointed": agency,
        "AgentRevoked": agency,
        "LegalPersonRepresentativeChanged": {
            "legal_person_id": str(legal_person_id),
            "representative_id": str(person_id),
            "former_id": str(person_id),
        },
        "LegalPersonSuspended": {"legal_person_id": str(legal_person_id)},
        "PersonVerified": {"person_id": str(person_id), "level": 4},
        "PersonLevelLowered": {"person_id": str(person_id), "level": 2},
        "TicketClosed": {**TICKET, "person_id": str(person_id)},
    }
    return by_name.get(subscriber.event.__name__, case)


def event_of(subscriber: Subscriber[Any], data: dict[str, Any]) -> CloudEvent[Any]:
    envelope = {
        "id": str(new_id()),
        "type": subscriber.event.subject,
        "source": "/test",
        "subject": str(new_id()),
        "time": utc_now().isoformat(),
        "revision": 1,
        "data": data,
    }
    event: CloudEvent[Any] = CloudEvent[subscriber.event].model_validate(envelope)  # type: ignore[name-defined]
    return event


async def deliver(transactions: Transactions, subscriber: Subscriber[Any], event: CloudEvent[Any]) -> bool:
    async with transactions() as session:
        return await apply(session, subscriber, event)


@pytest.mark.parametrize("subscriber", SUBSCRIBERS, ids=lambda one: one.name)
async def test_an_event_is_one_message_however_often_it_is_delivered(
    subscriber: Subscriber[Any],
    client: httpx.AsyncClient,
    population: Population,
    tokens: Tokens,
    transactions: Transactions,
) -> None:
    person, company = await population.company()
    event = event_of(subscriber, data_for(subscriber, person.id, company.id))
    assert await deliver(transactions, subscriber, event) is True
    assert await deliver(transactions, subscriber, event) is False
    chinese = (await client.get("/identity/v1/me/inbox", headers=tokens.person(person))).json()
    english = (
        await client.get("/identity/v1/me/inbox", headers={**tokens.person(person), "Accept-Language": "en"})
    ).json()
    (message,) = chinese["items"]
    assert message["title"]
    assert message["body"] != english["items"][0]["body"]
    assert "{" not in message["body"] + english["items"][0]["body"]


def subscriber_of(name: str) -> Subscriber[Any]:
    return next(one for one in SUBSCRIBERS if one.event.__name__ == name)


async def test_a_rejection_says_so(
    client: httpx.AsyncClient, population: Population, tokens: Tokens, transactions: Transactions
) -> None:
    person = await population.person()
    decided = subscriber_of("CaseDecided")
    event = event_of(decided, {**data_for(decided, person.id), "outcome": "REJECTED"})
    await deliver(transactions, decided, event)
    shown = (await client.get("/identity/v1/me/inbox", headers=tokens.person(person))).json()
    assert shown["items"][0]["template"] == "CASE_REJECTED"
    assert CASE["item_name"] in shown["items"][0]["body"]


async def test_a_companys_licence_is_told_to_everybody_who_acts_for_it(
    population: Population, transactions: Transactions, client: httpx.AsyncClient, tokens: Tokens
) -> None:
    person, company = await population.company()
    agent = await population.person(20)
    body = {"name": agent.name, "phone": agent.phone}
    path = f"/identity/v1/legal-persons/{company.id}/agents"
    assert (await client.post(path, json=body, headers=tokens.person(person))).status_code == 201
    issued = subscriber_of("LicenceIssued")
    data = {**LICENCE, "holder_kind": "LEGAL_PERSON", "holder_id": str(company.id)}
    await deliver(transactions, issued, event_of(issued, data))
    async with transactions() as session:
        told = set(await session.scalars(select(InboxMessage.person_id)))
    assert told == {person.id, agent.id}


async def test_what_an_agent_hands_in_is_told_to_the_applicant_too(transactions: Transactions) -> None:
    principal, agent = new_id(), new_id()
    subscriber = subscriber_of("CaseAccepted")
    data = {**CASE, "applicant_id": str(principal), "submitted_by": str(agent)}
    await deliver(transactions, subscriber, event_of(subscriber, data))
    async with transactions() as session:
        told = await session.scalars(select(InboxMessage.person_id))
    assert set(told) == {principal, agent}


async def test_an_anonymous_ticket_is_told_to_nobody(transactions: Transactions) -> None:
    closed = subscriber_of("TicketClosed")
    assert await deliver(transactions, closed, event_of(closed, dict(TICKET))) is True
    async with transactions() as session:
        assert (await session.scalars(select(InboxMessage))).all() == []


async def fill(transactions: Transactions, person: Citizen, count: int) -> None:
    accepted = subscriber_of("CaseAccepted")
    for _ in range(count):
        await deliver(transactions, accepted, event_of(accepted, data_for(accepted, person.id)))


async def test_reading_marks_once_and_only_the_own_message(
    client: httpx.AsyncClient, population: Population, tokens: Tokens, transactions: Transactions
) -> None:
    person, other = await population.person(0), await population.person(1)
    await fill(transactions, person, 1)
    headers = tokens.person(person)
    (message,) = (await client.get("/identity/v1/me/inbox", headers=headers)).json()["items"]
    address = f"/identity/v1/me/inbox/{message['id']}/read"
    assert (await client.post(address, headers=tokens.person(other))).status_code == 404
    first = (await client.post(address, headers=headers)).json()["read_at"]
    assert (await client.post(address, headers=headers)).json()["read_at"] == first
    unread = (await client.get("/identity/v1/me/inbox?unread=true", headers=headers)).json()
    assert unread["items"] == []


async def test_the_inbox_comes_in_pages_newest_first(
    client: httpx.AsyncClient, population: Population, tokens: Tokens, transactions: Transactions
) -> None:
    person = await population.person()
    await fill(transactions, person, 5)
    seen: list[str] = []
    link = "/identity/v1/me/inbox?limit=2"
    while link:
        page = (await client.get(link, headers=tokens.person(person))).json()
        seen += [message["id"] for message in page["items"]]
        link = page.get("next")
    assert seen == sorted(seen, reverse=True)
    assert len(set(seen)) == 5
    bad = await client.get("/identity/v1/me/inbox?cursor=!!!", headers=tokens.person(person))
    assert bad.status_code in {400, 422}
