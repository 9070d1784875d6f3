"""The AsyncAPI document says what the contracts say."""

from typing import Any

import httpx

from gateway_service.portal.asyncapi import describe_events
from service_common.contracts.registry import all_events


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [one for inner in value.values() for one in _references(inner)]
    if isinstance(value, list):
        return [one for inner in value for one in _references(inner)]
    return []


def _resolve(document: Any, reference: str) -> Any:
    found = document
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    return found


def test_every_event_has_a_channel_with_its_subject() -> None:
    document = describe_events()
    addresses = {channel["address"] for channel in document["channels"].values()}
    assert addresses == {event.subject for event in all_events()}
    assert len(document["operations"]) == len(addresses)


def test_every_reference_leads_somewhere() -> None:
    document = describe_events()
    references = _references(document)
    assert len(references) > 100
    for reference in references:
        assert _resolve(document, reference)


def test_a_message_is_the_envelope_around_its_contract() -> None:
    document = describe_events()
    message = document["components"]["messages"]["acceptance.CaseSubmitted"]
    envelope = _resolve(document, message["payload"]["$ref"])
    assert {"id", "revision", "specversion", "data"} <= set(envelope["properties"])
    data = _resolve(document, envelope["properties"]["data"]["$ref"])
    assert "case_id" in data["properties"]


async def test_it_is_open_to_all(anybody: httpx.AsyncClient) -> None:
    answer = await anybody.get("/asyncapi.json")
    assert answer.json()["asyncapi"] == "3.0.0"
