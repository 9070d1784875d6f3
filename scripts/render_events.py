"""Writes ``docs/events.md`` from the contracts and from what the services listen to: ``python -m scripts.render_events``."""

import sys
from collections.abc import Iterator, Mapping
from enum import StrEnum
from types import UnionType
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from scripts.rendered import applications, sentence, table, write_or_compare

from service_common.contracts.envelope import Event
from service_common.contracts.identity import SessionEnded
from service_common.contracts.registry import PRODUCERS, all_events, events_of

HEAD = """\
# Events

Written by `python -m scripts.render_events` from `service_common.contracts` and the services' subscribers; change those, not this.

An event travels as CloudEvents 1.0 (JSON) on the NATS subject below, in the stream of its producer. `subject` in the envelope is the id
of the aggregate, `revision` counts that aggregate's events. Events hold facts and ids: no names of people, no numbers, no free text.
Delivered at least once; what else is promised stands in [guarantees.md](guarantees.md). A consumer ignores fields it does not know.
A `?` marks a field that may be null. A listener is shown as service: durable consumer.
"""

# Heard by every API process through an ephemeral consumer, and not by a subscriber of a worker.
HEARD_BY_ALL: Mapping[type[Event], str] = {SessionEnded: "every API process"}


def main() -> int:
    heard = listeners()
    text = "\n\n".join([HEAD.strip(), *(_producer(name, heard) for name in PRODUCERS), _words()]) + "\n"
    return write_or_compare("events.md", text)


def listeners() -> dict[type[Event], list[str]]:
    """Consumers by event, over all services."""
    found: dict[type[Event], list[str]] = {event: [] for event in all_events()}
    with applications() as apps:
        for name, app in apps.items():
            for subscriber in app.state.service.subscribers(app):
                found[subscriber.event].append(f"{name}: `{subscriber.name}`")
    for event, who in HEARD_BY_ALL.items():
        found[event].append(who)
    return found


def _producer(name: str, heard: Mapping[type[Event], list[str]]) -> str:
    events = list(events_of(name))
    facts = dict.fromkeys(base for event in events if (base := _facts_of(event)))
    nested = dict.fromkeys(part for event in events for part in _parts(event.model_fields))
    shared = [f"`{one.__name__}`: {_fields(_own(one))}" for one in facts]
    shared += [f"`{one.__name__}`: {_fields(one.model_fields)}" for one in nested]
    rows = (
        [f"`{event.subject}`", sentence(event.__doc__), _content(event), "<br>".join(heard[event]) or "–"]
        for event in events
    )
    return "\n\n".join([f"## {name}", *shared, table(("subject", "sent when", "fields", "listeners"), rows)])


def _facts_of(event: type[Event]) -> type[Event] | None:
    """The base that holds the fields of several events, if it has one."""
    base = event.__base__
    return base if base is not None and issubclass(base, Event) and base is not Event else None


def _own(event: type[Event]) -> dict[str, FieldInfo]:
    base = _facts_of(event)
    inherited = base.model_fields if base else {}
    return {name: field for name, field in event.model_fields.items() if name not in inherited}


def _content(event: type[Event]) -> str:
    base = _facts_of(event)
    shared = f"`{base.__name__}`" if base else ""
    return ", ".join(part for part in (shared, _fields(_own(event))) if part)


def _fields(fields: Mapping[str, FieldInfo]) -> str:
    return ", ".join(f"`{name}` {type_name(field.annotation)}" for name, field in fields.items())


def type_name(annotation: Any) -> str:
    """As a reader says it: ``UUID``, ``list of str``, ``datetime?``."""
    if get_origin(annotation) in (Union, UnionType):
        [inner] = [one for one in get_args(annotation) if one is not type(None)]
        return f"{type_name(inner)}?"
    if get_origin(annotation) is list:
        return f"list of {type_name(get_args(annotation)[0])}"
    return str(annotation.__name__)


def _parts(fields: Mapping[str, FieldInfo]) -> Iterator[type[BaseModel]]:
    """Models inside the fields, and those inside them."""
    for field in fields.values():
        for part in (field.annotation, *get_args(field.annotation)):
            if isinstance(part, type) and issubclass(part, BaseModel):
                yield part
                yield from _parts(part.model_fields)


def _enums(annotation: Any) -> Iterator[type[StrEnum]]:
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        yield annotation
    for inner in get_args(annotation):
        yield from _enums(inner)


def _words() -> str:
    """The values that a field can have."""
    found = dict.fromkeys(
        enum
        for event in all_events()
        for field in event.model_fields.values()
        for enum in _enums(field.annotation)
    )
    rows = (
        [f"`{one.__name__}`", sentence(one.__doc__), " ".join(f"`{value}`" for value in one)] for one in found
    )
    return "## Words\n\n" + table(("type", "meaning", "values"), rows)


if __name__ == "__main__":
    sys.exit(main())
