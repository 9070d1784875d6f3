"""Rebuilding the projection from a snapshot of identity, which answers here over a real socket."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncSession, async_sessionmaker

from acceptance_service.departments.models import Department, StaffMember
from service_common.db import Database
from service_common.departments_cli import rebuild
from service_common.http import PeerUnavailable

DEPARTMENT: dict[str, Any] = {
    "department_id": "00000000-0000-7000-8000-000000000001",
    "revision": 4,
    "uscc": "11990300LB00002305",
    "name": "合成市场监督管理局",
    "short_name": "合成市监局",
    "division": "430300000000",
    "parent_id": None,
    "active": True,
}


class Identity:
    """The snapshot endpoint of identity."""

    def __init__(self) -> None:
        self.departments: list[dict[str, Any]] = [DEPARTMENT]
        self.staff: list[dict[str, Any]] = []
        self.status = 200
        identity = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                assert self.path == "/identity/v1/org/snapshot"
                body = json.dumps({"departments": identity.departments, "staff": identity.staff}).encode()
                self.send_response(identity.status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Nothing of it belongs into the tests' output."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def identity() -> Iterator[Identity]:
    peer = Identity()
    thread = threading.Thread(target=peer.server.serve_forever, daemon=True)
    thread.start()
    yield peer
    peer.server.shutdown()
    thread.join()
    peer.server.server_close()


@pytest.fixture
def database(connection: AsyncConnection) -> Database:
    sessions = async_sessionmaker(
        connection, expire_on_commit=False, join_transaction_mode="create_savepoint"
    )
    return Database(connection.engine, sessions)


async def test_the_projection_is_made_from_the_snapshot(
    database: Database, session: AsyncSession, identity: Identity
) -> None:
    assert await rebuild(database, Department, identity.url, httpx.Auth()) == 1
    row = (await session.scalars(select(Department))).one()
    assert (row.name, row.revision) == ("合成市场监督管理局", 4)


async def test_a_damaged_row_is_mended_and_a_newer_one_kept(
    database: Database, session: AsyncSession, identity: Identity
) -> None:
    identity.departments = [DEPARTMENT | {"name": "损坏"}]
    await rebuild(database, Department, identity.url, httpx.Auth())
    identity.departments = [DEPARTMENT]
    await rebuild(database, Department, identity.url, httpx.Auth())
    assert list(await session.scalars(select(Department.name))) == ["合成市场监督管理局"]
    identity.departments = [DEPARTMENT | {"name": "旧名", "revision": 3}]
    await rebuild(database, Department, identity.url, httpx.Auth())
    assert list(await session.scalars(select(Department.name))) == ["合成市场监督管理局"]


async def test_without_identity_nothing_changes(
    database: Database, session: AsyncSession, identity: Identity
) -> None:
    identity.status = 403
    with pytest.raises(PeerUnavailable):
        await rebuild(database, Department, identity.url, httpx.Auth())
    assert list(await session.scalars(select(Department.name))) == []


async def test_staff_are_made_anew_with_it_and_newer_news_stay(
    database: Database, session: AsyncSession, identity: Identity
) -> None:
    clerk = {
        "staff_id": "00000000-0000-7000-8000-000000000002",
        "revision": 3,
        "department_id": DEPARTMENT["department_id"],
        "division": "430300000000",
        "roles": ["clerk"],
        "active": True,
    }
    identity.staff = [clerk]
    await rebuild(database, Department, identity.url, httpx.Auth(), staff=StaffMember)
    identity.staff = [clerk | {"active": False, "revision": 2}]
    await rebuild(database, Department, identity.url, httpx.Auth(), staff=StaffMember)
    [row] = (await session.scalars(select(StaffMember))).all()
    assert (str(row.department_id), row.active, row.revision) == (DEPARTMENT["department_id"], True, 3)
