"""Every event has a sender and, unless it is for partners alone, a listener."""

import ast
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi import FastAPI

from lianban_local.deployables import DEPLOYABLES
from service_common.app import Service, create_app
from service_common.contracts.registry import all_events, events_of

SERVICES = tuple(deployable.name for deployable in DEPLOYABLES)
ROOT = Path(__file__).parents[2]


@pytest.fixture
def listened(define: Callable[[str], Service]) -> dict[str, set[str]]:
    """Consumer names by subject, over all services."""
    found: dict[str, set[str]] = {}
    for name in SERVICES:
        service = define(name)
        app: FastAPI = create_app(service, worker=True)
        for subscriber in service.subscribers(app):
            found.setdefault(subscriber.event.subject, set()).add(f"{name}/{subscriber.name}")
    return found


def _words(folder: Path) -> set[str]:
    names: set[str] = set()
    for file in folder.rglob("*.py"):
        names |= {node.id for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Name)}
    return names


@pytest.mark.parametrize("producer", [name for name in SERVICES if name != "gateway"])
def test_every_contract_is_sent_by_its_producer(producer: str) -> None:
    used = _words(ROOT / "services" / producer / "src")
    assert [event.__name__ for event in events_of(producer) if event.__name__ not in used] == []


def test_every_event_is_listened_to(listened: dict[str, set[str]]) -> None:
    assert {event.subject for event in all_events()} - set(listened) <= FOR_LATER_LISTENERS


# Facts that others may build on; nobody inside needs them yet. SessionEnded is followed by every API process itself.
FOR_LATER_LISTENERS = {
    "gov.identity.person.registered.v1",
    "gov.identity.person.closed.v1",
    "gov.identity.legal-person.registered.v1",
    "gov.identity.staff.changed.v1",
    "gov.identity.session.ended.v1",
    "gov.acceptance.item.published.v1",
    "gov.acceptance.bundle.published.v1",
    "gov.acceptance.application.finished.v1",
    "gov.acceptance.card.cancelled.v1",
    "gov.acceptance.case.received.v1",
    "gov.acceptance.case.returned.v1",
    "gov.acceptance.case.suspended.v1",
    "gov.acceptance.case.resumed.v1",
    "gov.acceptance.case.extended.v1",
    "gov.acceptance.case.terminated.v1",
    "gov.certificates.licence.used.v1",
    "gov.hotline.ticket.created.v1",
    "gov.hotline.ticket.returned.v1",
    "gov.hotline.ticket.called-back.v1",
    "gov.evaluation.review.submitted.v1",
    "gov.evaluation.rectification.answered.v1",
    "gov.evaluation.rectification.closed.v1",
}


def test_consumer_names_are_durable_names(listened: dict[str, set[str]]) -> None:
    for consumers in listened.values():
        for consumer in consumers:
            assert consumer.split("/")[1].replace("-", "").isalnum()
    names = [consumer.split("/")[1] for consumers in listened.values() for consumer in consumers]
    assert len(names) == len(set(names)), "two subscribers of one stream must not share a durable"
