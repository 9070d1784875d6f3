"""Counting attempts: each is counted before it is made, so that a hundred at once do not all slip through."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.accounts.domain import Throttle
from identity_service.accounts.models import Attempts
from service_common.crypto import KeyRing
from service_common.errors import TooMany

_LONGEST_WINDOW = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Bucket:
    """One count: a throttle applied to one account, address, phone …"""

    throttle: Throttle
    who: str

    def key(self, ring: KeyRing) -> bytes:
        return ring.blind_index(f"{self.throttle.name}\x00{self.who}", column="attempts.key")


async def admit(session: AsyncSession, ring: KeyRing, buckets: Sequence[Bucket], *, now: datetime) -> None:
    """Counts one attempt in every bucket. The caller's transaction must be committed for it to count.

    Raises: TooMany, when one of them still waits; then nothing is counted.
    """
    keys = {bucket.key(ring): bucket for bucket in buckets}
    found = await session.scalars(
        select(Attempts).where(Attempts.key.in_(keys)).order_by(Attempts.key).with_for_update()
    )
    counts = {row.key: row for row in found}
    longest = max((row.waits_until for row in counts.values()), default=now)
    if longest > now:
        raise TooMany(retry_after=math.ceil((longest - now).total_seconds()))
    for key, bucket in sorted(keys.items()):
        await _count(session, key, bucket.throttle, counts.get(key), now)


async def _count(
    session: AsyncSession, key: bytes, throttle: Throttle, row: Attempts | None, now: datetime
) -> None:
    if row is not None:
        row.count = row.count + 1 if now - row.last_at <= throttle.window else 1
        row.last_at = now
        row.waits_until = now + throttle.wait_after(row.count)
        return
    first = insert(Attempts).values(key=key, count=1, last_at=now, waits_until=now + throttle.wait_after(1))
    await session.execute(
        first.on_conflict_do_update(
            index_elements=["key"], set_={"count": Attempts.count + 1, "last_at": now}
        )
    )


async def forgive(
    session: AsyncSession, ring: KeyRing, own: Sequence[Bucket], *, shared: Bucket | None = None
) -> None:
    """Forgets the attempts of somebody's own buckets after a success; one that many people share loses this attempt."""
    keys = [bucket.key(ring) for bucket in own]
    both = [*keys, shared.key(ring)] if shared else keys
    # Locked in the order in which `admit` does it: two log-ins at once must not wait for each other.
    await session.execute(
        select(Attempts.key).where(Attempts.key.in_(both)).order_by(Attempts.key).with_for_update()
    )
    await session.execute(delete(Attempts).where(Attempts.key.in_(keys)))
    if shared:
        await session.execute(
            update(Attempts)
            .where(Attempts.key == shared.key(ring), Attempts.count > 0)
            .values(count=Attempts.count - 1)
        )


async def prune_attempts(session: AsyncSession, *, now: datetime) -> None:
    """Forgets counts that no window reaches back to."""
    await session.execute(delete(Attempts).where(Attempts.last_at < now - _LONGEST_WINDOW))
