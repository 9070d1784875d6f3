"""The append-only history of whatever binds the government, chained by hashes.

Each entry holds the hash of the one before it, so a later change of history can be proven. It holds facts and
commitments (statuses, numbers, hashes), never personal values: erasure and proof do not fight.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, Row, Uuid, any_, bindparam, insert, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.ext.asyncio import AsyncSession

from service_common.db import transaction_memory
from service_common.tables import timeline_entries

GENESIS = b"\x00" * 32

# Made once: every act writes history.
_APPEND = insert(timeline_entries)
_ENDS = (
    select(timeline_entries.c.aggregate_id, timeline_entries.c.sequence, timeline_entries.c.hash)
    .ext(distinct_on(timeline_entries.c.aggregate_id))
    .where(timeline_entries.c.aggregate_id == any_(bindparam("ids", type_=ARRAY(Uuid))))
    .order_by(timeline_entries.c.aggregate_id, timeline_entries.c.sequence.desc())
)


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did it: a person, a staff member, a client, or the system itself; and in whose name, if not their own."""

    kind: str
    id: str
    on_behalf_of: str | None = None
    delegation_id: str | None = None

    def sign(self, facts: Mapping[str, Any] | None) -> dict[str, Any]:
        """The facts of an entry, with for whom and by what right it was done: the chain of hashes covers both."""
        signed = dict(facts or {})
        if self.on_behalf_of is not None:
            signed |= {"on_behalf_of": self.on_behalf_of, "delegation_id": self.delegation_id}
        return signed


SYSTEM = Actor("system", "system")


def entry_hash(
    *,
    aggregate_id: UUID,
    sequence: int,
    at: datetime,
    action: str,
    actor: Actor,
    facts: dict[str, Any],
    previous_hash: bytes,
) -> bytes:
    """SHA-256 over the canonical JSON of an entry and the hash before it."""
    canonical = json.dumps(
        [
            str(aggregate_id),
            sequence,
            at.astimezone(UTC).isoformat(timespec="microseconds"),
            action,
            actor.kind,
            actor.id,
            facts,
            previous_hash.hex(),
        ],
        ensure_ascii=False,
        separators=(",", ":"),
        sort_keys=True,
    )
    return hashlib.sha256(canonical.encode()).digest()


@dataclass(frozen=True, slots=True)
class Step:
    """What happened to one aggregate. ``first``: it was made in this transaction, so nothing comes before."""

    aggregate_id: UUID
    action: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    first: bool = False


async def append(
    session: AsyncSession,
    aggregate_id: UUID,
    action: str,
    *,
    actor: Actor,
    at: datetime,
    facts: dict[str, Any] | None = None,
    first: bool = False,
) -> None:
    """Adds the next entry. Two writers at once meet in the primary key, and one of them fails."""
    await append_all(session, [Step(aggregate_id, action, facts or {}, first)], actor=actor, at=at)


async def append_all(session: AsyncSession, steps: Sequence[Step], *, actor: Actor, at: datetime) -> None:
    """Adds the next entry of several aggregates, one each, in one statement."""
    # Nobody else can have added to what this very transaction wrote.
    ends: dict[UUID, tuple[int, bytes]] = transaction_memory(session).setdefault("timeline_ends", {})
    unknown = [one.aggregate_id for one in steps if not one.first and one.aggregate_id not in ends]
    if unknown:
        ends |= await _ends_of(session, unknown)
    rows = []
    for step in steps:
        sequence, previous_hash = ends.get(step.aggregate_id, (0, GENESIS))
        facts = actor.sign(step.facts)
        digest = entry_hash(
            aggregate_id=step.aggregate_id,
            sequence=sequence + 1,
            at=at,
            action=step.action,
            actor=actor,
            facts=facts,
            previous_hash=previous_hash,
        )
        rows.append(
            {
                "aggregate_id": step.aggregate_id,
                "sequence": sequence + 1,
                "at": at,
                "action": step.action,
                "actor_kind": actor.kind,
                "actor_id": actor.id,
                "facts": facts,
                "previous_hash": previous_hash,
                "hash": digest,
            }
        )
        ends[step.aggregate_id] = (sequence + 1, digest)
    if rows:
        await session.execute(_APPEND, rows)


async def _ends_of(session: AsyncSession, aggregate_ids: Sequence[UUID]) -> dict[UUID, tuple[int, bytes]]:
    """The last entry of each aggregate that has one."""
    found = await session.execute(_ENDS, {"ids": aggregate_ids})
    return {row.aggregate_id: (row.sequence, row.hash) for row in found}


async def read(session: AsyncSession, aggregate_id: UUID) -> Sequence[Row[Any]]:
    """The whole history, oldest first."""
    found = await session.execute(
        select(timeline_entries)
        .where(timeline_entries.c.aggregate_id == aggregate_id)
        .order_by(timeline_entries.c.sequence)
    )
    return found.all()


def verify(entries: Sequence[Any]) -> bool:
    """Whether a history is gap-free and every hash follows from the one before."""
    previous_hash = GENESIS
    for expected, entry in enumerate(entries, start=1):
        digest = entry_hash(
            aggregate_id=entry.aggregate_id,
            sequence=entry.sequence,
            at=entry.at,
            action=entry.action,
            actor=Actor(entry.actor_kind, entry.actor_id),
            facts=entry.facts,
            previous_hash=entry.previous_hash,
        )
        if (entry.sequence, entry.previous_hash, entry.hash) != (expected, previous_hash, digest):
            return False
        previous_hash = entry.hash
    return True
