"""A saved sample of every event: the producer still writes this shape, and every consumer still reads it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from service_common.contracts.envelope import CloudEvent, Event
from service_common.contracts.registry import PRODUCERS, all_events, events_of, stream_of

SAMPLES = Path(__file__).parent / "samples"
EVENTS = list(all_events())


def sample(event: type[Event]) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads((SAMPLES / f"{event.subject}.json").read_text())
    return loaded


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.subject)
def test_a_consumer_of_today_reads_the_saved_sample(event: type[Event]) -> None:
    read = CloudEvent[event].model_validate(sample(event))  # type: ignore[valid-type]
    assert read.type == event.subject


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.subject)
def test_the_producer_of_today_writes_at_least_the_saved_sample(event: type[Event]) -> None:
    saved = sample(event)["data"]
    written = TypeAdapter(event).dump_python(event.model_validate(saved), mode="json")
    assert {key: written.get(key) for key in saved} == saved


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.subject)
def test_a_subject_names_service_aggregate_event_and_version(event: type[Event]) -> None:
    assert re.fullmatch(r"gov\.[a-z]+\.[a-z-]+\.[a-z-]+\.v\d+", event.subject)
    assert stream_of(event).lower() in PRODUCERS


def test_every_sample_has_its_contract() -> None:
    assert {path.stem for path in SAMPLES.glob("*.json")} == {event.subject for event in EVENTS}


def test_no_subject_is_used_twice() -> None:
    subjects = [event.subject for producer in PRODUCERS for event in events_of(producer)]
    assert len(subjects) == len(set(subjects))


PERSONAL = re.compile(r"(^|_)(phone|id_number|address|surname|person_name|birth|text|comment)($|_)")


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: event.subject)
def test_no_event_carries_personal_data(event: type[Event]) -> None:
    assert not [name for name in event.model_fields if PERSONAL.search(name)]
