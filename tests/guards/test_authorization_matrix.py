"""Every route of every service × every kind of caller: what the committed tables say is what the applications answer.

Each cell is a request through the service's application, on a real database, with a signed token that carries every scope
identity may ever grant to that kind of caller. The tables stand in ``authorization/*.md``.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from tests.guards.authorization.asking import Bodies, address, missing_in, objects_in, outcome
from tests.guards.authorization.cast import CALLERS
from tests.guards.authorization.rooms import SERVICES, Objects, Room, open_room
from tests.guards.authorization.table import DOOR, Row, read_table

from lianban_local.testing.brokers import TestNats
from lianban_local.testing.databases import TestPostgres

# Whose outcome on an object of the owner or of the own department may never be a yes, whatever the tables say.
_STRANGERS = ("anonymous", "other citizen", "company agent", "bare partner", "far clerk", "other approver")


@pytest.fixture
def quiet() -> Iterator[None]:
    """Thousands of refusals are logged in a few words: the default of structlog paints each of them."""
    before = structlog.get_config()
    structlog.configure(processors=[structlog.processors.KeyValueRenderer(key_order=["event"])])
    yield
    structlog.configure(**before)


@pytest.mark.parametrize("service", SERVICES)
def test_each_row_stands_once_and_strangers_never_get_in(service: str) -> None:
    rows = read_table(service)
    assert len({row.route for row in rows}) == len(rows)
    for row in rows:
        if row.about not in ("", DOOR) and row.expected["anonymous"] != "yes":
            assert {row.expected[one] for one in _STRANGERS} <= {"401", "403", "404"}, row.route


@pytest.mark.usefixtures("quiet")
@pytest.mark.parametrize("service", SERVICES)
async def test_every_caller_gets_at_every_route_what_the_table_says(
    service: str,
    postgres: TestPostgres,
    nats_server: TestNats,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with open_room(service, postgres, nats_server, tmp_path, monkeypatch) as room:
        rows = read_table(service)
        assert {row.route for row in rows} == room.routes, "each route has a row, each row a route"
        objects = await room.furnish()
        bodies = Bodies(room, objects)
        wrong = [line for row in rows for line in await _differences(room, objects, bodies, row)]
    assert wrong == []


async def _differences(room: Room, objects: Objects, bodies: Bodies, row: Row) -> list[str]:
    """Where a route answers otherwise than its row says; and whether somebody who was refused left a trace."""
    about_an_object = bool(objects_in(row.path, objects)) and row.about != DOOR
    found = []
    if about_an_object != (row.about not in ("", DOOR)) or (
        missing_in(row.path, objects) and row.about != DOOR
    ):
        found.append(f"{row.route}: is not about {row.about or 'nothing'}")
    before = await room.effects()
    allowed = [caller for caller in CALLERS if row.expected[caller] == "yes"]
    for caller in sorted(CALLERS, key=allowed.__contains__):  # those who are refused first
        if caller in allowed[:1] and await room.effects() != before:
            found.append(f"{row.route}: a refused request had an effect")
        request = await room.connection.begin_nested()
        answer = await room.ask(caller, row.method, address(row, objects), json=bodies.of(row.route))
        if caller in allowed:
            await request.rollback()
        else:
            await request.commit()
        if (got := outcome(answer, about_an_object=about_an_object)) != row.expected[caller]:
            found.append(f"{row.route} for {caller}: {got} instead of {row.expected[caller]}")
    if not allowed and await room.effects() != before:
        found.append(f"{row.route}: a refused request had an effect")
    return found
