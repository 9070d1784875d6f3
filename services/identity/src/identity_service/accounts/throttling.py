"""Counting attempts: each is counted before it is made, so that a hundred at once do not all slip through."""

import ipaddress
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.accounts.domain import Tally, Throttle
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


def network_of(address: str) -> str:
    """The network that counts as one caller: of IPv6 the first 64 bits, which one line has all of (RFC 6177 §2)."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((int(parsed), 64), strict=False))


async def admit(session: AsyncSession, ring: KeyRing, buckets: Sequence[Bucket], *, now: datetime) -> None:
    """Counts one attempt in every bucket. The caller's transaction must be committed for it to count.

    Raises: TooMany, when one of them still waits; then nothing is counted.
    """
    throttles = {bucket.key(ring): bucket.throttle for bucket in buckets}
    tallies = await _held(session, sorted(throttles), now=now)
    longest = max((tally.waits_until for tally in tallies.values() if _makes_wait(tally)), default=now)
    if longest > now:
        raise TooMany(retry_after=math.ceil((longest - now).total_seconds()))
    await _note(session, {key: throttles[key].counted(tally, now) for key, tally in tallies.items()})


_ALL = (Attempts.key, Attempts.count, Attempts.drained_at, Attempts.last_at, Attempts.waits_until)


async def _held(session: AsyncSession, keys: Sequence[bytes], *, now: datetime) -> dict[bytes, Tally]:
    """The counts, locked in the order of their keys. What is not there yet begins with none: two first attempts at once meet too."""
    first = insert(Attempts).values([{"key": key, **asdict(Tally.empty(now))} for key in keys])
    held = first.on_conflict_do_update(index_elements=["key"], set_={"key": first.excluded.key})
    found = await session.execute(held.returning(*_ALL))
    return _tallies(found)


def _tallies(found: Iterable[Any]) -> dict[bytes, Tally]:
    return {key: Tally(*counted) for key, *counted in found}


async def _note(session: AsyncSession, tallies: Mapping[bytes, Tally]) -> None:
    """By one statement, however many there are and whether they were there before: whoever measures it learns nothing."""
    noted = insert(Attempts).values([{"key": key, **asdict(tally)} for key, tally in tallies.items()])
    changed = {column.key: noted.excluded[column.key] for column in _ALL[1:]}
    await session.execute(noted.on_conflict_do_update(index_elements=["key"], set_=changed))


def _makes_wait(tally: Tally) -> bool:
    """Whether the last attempt has to be waited for at all: else who came a moment before it, or has a slower clock, would."""
    return tally.waits_until > tally.last_at


async def forgive(
    session: AsyncSession,
    ring: KeyRing,
    own: Sequence[Bucket],
    *,
    shared: Sequence[Bucket] = (),
    at: datetime,
) -> None:
    """Forgets the attempts of somebody's own buckets after a success; those that many people share lose this attempt, made ``at``.

    No row is deleted: it would come back with the next attempt, out of the order in which all lock them.
    """
    takes_back = {bucket.key(ring) for bucket in shared}
    keys = [*takes_back, *(bucket.key(ring) for bucket in own)]
    found = await session.execute(
        select(*_ALL).where(Attempts.key.in_(keys)).order_by(Attempts.key).with_for_update()
    )
    tallies = _tallies(found)
    if tallies:
        await _note(
            session,
            {
                key: tally.without_last(at) if key in takes_back else Tally.empty(tally.last_at)
                for key, tally in tallies.items()
            },
        )


async def prune_attempts(session: AsyncSession, *, now: datetime) -> None:
    """Forgets counts that no window reaches back to; one that is counted on just now is left for the next time."""
    free = (
        select(Attempts.key).where(Attempts.last_at < now - _LONGEST_WINDOW).with_for_update(skip_locked=True)
    )
    await session.execute(delete(Attempts).where(Attempts.key.in_(free)))
