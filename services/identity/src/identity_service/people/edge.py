"""What routes of other slices take from here: that looking for people by name and phone is slowed down."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Depends, Request

from identity_service.accounts.throttling import Bucket, admit, forgive
from identity_service.db import InTransactions
from identity_service.people.domain import SOUGHT_BY_ONE
from service_common.app import Now, Ring


async def _count_search(
    request: Request, transactions: InTransactions, ring: Ring, now: Now
) -> AsyncIterator[None]:
    """Counts a search before it is made; one that finds somebody takes itself back, and no more. Raises: TooMany."""
    bucket = Bucket(SOUGHT_BY_ONE, request.state.caller.subject_id)
    async with transactions() as session:
        await admit(session, ring, [bucket], now=now)
    yield
    async with transactions() as session:
        await forgive(session, ring, [], shared=[bucket], at=now)


# Put it after the caller in a route's parameters, and after `Once`: a repeated request seeks nobody.
Seeking = Annotated[None, Depends(_count_search, scope="function")]
