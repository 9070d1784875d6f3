"""Reads every service's own tables after the storm, to compare them with what the clients were told."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import psycopg
from psycopg.rows import namedtuple_row

from lianban_local import databases
from lianban_local.state import StateFolder
from lianban_local.testing.stack import RunningPlatform
from service_common import timeline


@dataclass(frozen=True)
class Ledger:
    """The databases of one running platform."""

    platform: RunningPlatform

    def rows(self, service: str, query: str, *parameters: Any) -> list[Any]:
        with self._connection(service) as connection:
            return connection.execute(query.encode(), parameters).fetchall()

    def value(self, service: str, query: str, *parameters: Any) -> Any:
        return self.rows(service, query, *parameters)[0][0]

    @contextmanager
    def _connection(self, service: str) -> Iterator[psycopg.Connection[Any]]:
        state = StateFolder(self.platform.state)
        name = f"{databases.PREFIX}{service}"
        url = databases.url_of(
            f"postgresql://nobody@127.0.0.1:{self.platform.port('postgres')}/postgres",
            database=name, role=name, password=state.password(service),
        )  # fmt: skip
        with psycopg.connect(url, row_factory=namedtuple_row) as connection:
            yield connection

    def unsent(self, services: Sequence[str]) -> int:
        """Events that wait in an outbox."""
        return sum(
            self.value(service, "SELECT count(*) FROM outbox WHERE sent_at IS NULL") for service in services
        )

    def unheard(self, listeners: Mapping[str, set[str]], producers: Sequence[str]) -> list[str]:
        """Every event that a durable consumer of its subject has not processed: ``consumer event``."""
        missing = []
        sent = {
            (row.subject, row.id)
            for producer in producers
            for row in self.rows(producer, "SELECT subject, id FROM outbox")
        }
        for subject, consumers in listeners.items():
            events = {event for of, event in sent if of == subject}
            for consumer in consumers:
                service, name = consumer.split("/")
                heard = self.rows(service, "SELECT event_id FROM processed_events WHERE consumer = %s", name)
                missing += [f"{consumer} {subject} {one}" for one in events - {row.event_id for row in heard}]
        return missing

    def dead(self, services: Sequence[str]) -> list[str]:
        """Dead letters, with why."""
        return [
            f"{service}: {row.consumer} {row.error}"
            for service in services
            for row in self.rows(service, "SELECT consumer, error FROM dead_events")
        ]

    def broken_histories(self, service: str) -> list[str]:
        """Aggregates whose timeline has a gap or does not follow from its hashes."""
        histories: dict[Any, list[Any]] = {}
        query = "SELECT * FROM timeline_entries ORDER BY aggregate_id, sequence"
        for row in self.rows(service, query):
            entry = SimpleNamespace(**row._asdict())
            entry.previous_hash, entry.hash = bytes(entry.previous_hash), bytes(entry.hash)
            histories.setdefault(row.aggregate_id, []).append(entry)
        return [str(aggregate) for aggregate, entries in histories.items() if not timeline.verify(entries)]

    def times_of(self, service: str, action: str) -> Counter[str]:
        """How often an action stands in each aggregate's history."""
        query = "SELECT aggregate_id FROM timeline_entries WHERE action = %s"
        return Counter(str(row.aggregate_id) for row in self.rows(service, query, action))
