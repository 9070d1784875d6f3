from collections.abc import Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

from service_common import timeline
from service_common.db import Database, new_id
from service_common.timeline import Actor

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)


async def _three_entries(database: Database) -> Sequence[Any]:
    case = new_id()
    async with database.sessions() as session, session.begin():
        for action in ("submitted", "received", "accepted"):
            await timeline.append(
                session,
                case,
                action,
                actor=Actor("staff", "s1"),
                at=NOW,
                facts={"document": "受理〔2026〕1号"},
            )
        return await timeline.read(session, case)


async def test_a_history_is_gap_free_and_its_chain_verifies(database: Database) -> None:
    entries = await _three_entries(database)
    assert [entry.sequence for entry in entries] == [1, 2, 3]
    assert timeline.verify(entries)


async def test_a_changed_missing_or_reordered_entry_is_found(database: Database) -> None:
    entries: list[Any] = [SimpleNamespace(**row._mapping) for row in await _three_entries(database)]
    changed = SimpleNamespace(**{**vars(entries[1]), "facts": {"document": "受理〔2026〕2号"}})
    other_actor = SimpleNamespace(**{**vars(entries[0]), "actor_id": "s2"})
    assert not timeline.verify([entries[0], changed, entries[2]])
    assert not timeline.verify([entries[0], entries[2]])
    assert not timeline.verify([entries[1], entries[0], entries[2]])
    assert not timeline.verify([other_actor, *entries[1:]])


async def test_histories_begun_together_go_on_one_by_one(database: Database) -> None:
    one, other = new_id(), new_id()
    async with database.sessions() as session, session.begin():
        firsts: dict[Any, dict[str, Any]] = {one: {"n": 1}, other: {}}
        await timeline.begin_all(session, firsts, "submitted", actor=Actor("person", "p1"), at=NOW)
        await timeline.append(session, one, "received", actor=Actor("staff", "s1"), at=NOW)
        assert [entry.action for entry in await timeline.read(session, one)] == ["submitted", "received"]
        assert timeline.verify(await timeline.read(session, one))
        assert timeline.verify(await timeline.read(session, other))
