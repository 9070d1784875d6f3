"""Which client assertions were accepted: each is good once (RFC 7523 §3), for all instances and after a crash."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession

from identity_service.oidc.models import UsedAssertion
from service_common.db import Database
from service_common.gathering import Gathered, first_of_each

_USED = UsedAssertion.metadata.tables["used_assertions"]
_NAME = ("client_id", "jti_hash")
_COLUMNS = [one.name for one in _USED.c]
_SHOWN = (
    func.unnest(*(bindparam(one.name, type_=ARRAY(one.type)) for one in _USED.c))
    .table_valued(*_COLUMNS)
    .render_derived()
)
_USE = (
    insert(_USED)
    .from_select(_COLUMNS, select(*_SHOWN.c))
    .on_conflict_do_nothing()
    .returning(*(_USED.c[name] for name in _NAME))
)


class ShownAssertion(NamedTuple):
    """An assertion as it is remembered, until it would not be accepted anyway."""

    client_id: str
    jti_hash: bytes
    expires_at: datetime

    @property
    def name(self) -> tuple[str, bytes]:
        return self.client_id, self.jti_hash


class UsedAssertions:
    """What all instances have accepted. Those of a moment are remembered together, by one statement and one commit."""

    def __init__(self, database: Database) -> None:
        self._statements = database.engine.execution_options(isolation_level="AUTOCOMMIT")
        self._together = Gathered(self._remember_all)

    async def is_first_use(self, shown: ShownAssertion, *, held: AsyncSession | None) -> bool:
        """Remembers an assertion; false when it is remembered already. Two at once meet in the primary key.

        ``held`` is the session of a request that has one open and then does this by itself: when all connections are held by
        those who wait for one more, the pool stands still.
        """
        if held is None:
            return await self._together(shown)
        return bool(await _remember(held, [shown]))

    async def _remember_all(self, shown: Sequence[ShownAssertion]) -> Sequence[bool]:
        async with self._statements.connect() as connection:
            fresh = await _remember(connection, shown)
        return first_of_each([one.name for one in shown], fresh)


async def _remember(
    database: AsyncConnection | AsyncSession, shown: Sequence[ShownAssertion]
) -> set[tuple[str, bytes]]:
    """Which names were not remembered before. In one order for all, so that two instances never wait for each other."""
    values = zip(*sorted(shown), strict=True)
    fresh = await database.execute(_USE, dict(zip(_COLUMNS, values, strict=True)))
    return {(client_id, jti_hash) for client_id, jti_hash in fresh}
