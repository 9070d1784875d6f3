from collections.abc import Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from service_common import timeline
from service_common.db import Database, new_id
from service_common.timeline import Actor, Step

NOW = datetime(2026, 11, 22, 8, tzinfo=UTC)
PERSON, STAFF = Actor("person", "p1"), Actor("staff", "s1")


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
        begun = [Step(one, "submitted", {"n": 1}, first=True), Step(other, "submitted", first=True)]
        await timeline.append_all(session, begun, actor=PERSON, at=NOW)
        await timeline.append(session, one, "received", actor=STAFF, at=NOW)
    async with database.sessions() as session, session.begin():
        together = [Step(one, "accepted"), Step(other, "returned")]
        await timeline.append_all(session, together, actor=STAFF, at=NOW)
        first, second = await timeline.read(session, one), await timeline.read(session, other)
    assert [entry.action for entry in first] == ["submitted", "received", "accepted"]
    assert [entry.action for entry in second] == ["submitted", "returned"]
    assert timeline.verify(first)
    assert timeline.verify(second)


@pytest.mark.parametrize("kept", [True, False])
async def test_what_a_savepoint_wrote_is_followed_only_if_it_stays(database: Database, kept: bool) -> None:
    case = new_id()
    async with database.sessions() as session, session.begin():
        await timeline.append(session, case, "submitted", actor=PERSON, at=NOW, first=True)
        savepoint = await session.begin_nested()
        await timeline.append(session, case, "received", actor=STAFF, at=NOW)
        await (savepoint.commit() if kept else savepoint.rollback())
        await timeline.append(session, case, "accepted", actor=STAFF, at=NOW)
        entries = await timeline.read(session, case)
    assert [entry.action for entry in entries] == ["submitted", *(["received"] if kept else []), "accepted"]
    assert timeline.verify(entries)
