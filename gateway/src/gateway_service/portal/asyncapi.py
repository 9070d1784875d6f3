"""AsyncAPI 3.0 of every event on the platform, generated from the contracts."""

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from service_common.contracts.envelope import CloudEvent, Event
from service_common.contracts.registry import PRODUCERS, events_of, stream_of

Json = dict[str, Any]

_DESCRIPTION = """\
Events are CloudEvents 1.0 (JSON, structured mode) on NATS JetStream, one stream per producing service. Delivery is at least
once; `revision` counts the events of one aggregate (`subject`) from 1; order across aggregates is not promised. Events carry
ids and facts, never names, numbers or addresses of people.
"""


def describe_events() -> Json:
    """Channels, operations, messages and schemas of all contracts."""
    channels: Json = {}
    operations: Json = {}
    messages: Json = {}
    envelopes: list[tuple[type[BaseModel], Any]] = []
    for producer in PRODUCERS:
        for event in events_of(producer):
            name = f"{producer}.{event.__name__}"
            envelope = CloudEvent[event]  # type: ignore[valid-type]
            envelopes.append((envelope, "serialization"))
            channels[name] = _channel(producer, event, name)
            operations[f"send.{name}"] = _operation(name)
            messages[name] = _message(event, envelope)
    _, definitions = models_json_schema(envelopes, ref_template="#/components/schemas/{model}")
    return {
        "asyncapi": "3.0.0",
        "info": {"title": "Lianban 联办 events", "version": "1", "description": _DESCRIPTION},
        "defaultContentType": "application/cloudevents+json",
        "channels": channels,
        "operations": operations,
        "components": {"messages": messages, "schemas": definitions["$defs"]},
    }


def _sentence(event: type[Event]) -> str:
    return " ".join((event.__doc__ or "").split())


def _channel(producer: str, event: type[Event], name: str) -> Json:
    return {
        "address": event.subject,
        "title": name,
        "description": f"Stream `{stream_of(event)}`, sent by {producer}. {_sentence(event)}",
        "messages": {name: {"$ref": f"#/components/messages/{name}"}},
    }


def _operation(name: str) -> Json:
    return {
        "action": "send",
        "channel": {"$ref": f"#/channels/{name}"},
        "messages": [{"$ref": f"#/channels/{name}/messages/{name}"}],
    }


def _message(event: type[Event], envelope: type[BaseModel]) -> Json:
    return {
        "name": event.subject,
        "summary": _sentence(event),
        "contentType": "application/cloudevents+json",
        "payload": {"$ref": f"#/components/schemas/{_schema_name(envelope)}"},
    }


def _schema_name(envelope: type[BaseModel]) -> str:
    return envelope.__name__.replace("[", "_").replace("]", "_")
