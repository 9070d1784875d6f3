"""All event contracts, by the service that sends them."""

from collections.abc import Iterator
from types import ModuleType

from service_common.contracts import acceptance, certificates, evaluation, hotline, identity
from service_common.contracts.envelope import Event

PRODUCERS: dict[str, ModuleType] = {
    "identity": identity,
    "acceptance": acceptance,
    "certificates": certificates,
    "hotline": hotline,
    "evaluation": evaluation,
}


def events_of(producer: str) -> Iterator[type[Event]]:
    """The contracts that a service sends, in the order they are written."""
    for value in vars(PRODUCERS[producer]).values():
        if isinstance(value, type) and issubclass(value, Event) and "subject" in vars(value):
            yield value


def all_events() -> Iterator[type[Event]]:
    """Every contract of the platform."""
    for producer in PRODUCERS:
        yield from events_of(producer)


def stream_of(event: type[Event]) -> str:
    """The JetStream stream that holds this event: one per producing service."""
    return event.subject.split(".")[1].upper()
