"""Rebuilding the projection from a snapshot of identity, which answers here over a real socket."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from hotline_service.__main__ import cli
from hotline_service.departments.models import Department
from service_common.db import Database
from service_common.departments import DepartmentState, keep_departments
from service_common.departments_cli import rebuild
from service_common.http import PeerUnavailable

DEPARTMENT: dict[str, Any] = {
    "department_id": "00000000-0000-7000-8000-0000000000d1",
    "revision": 4,
    "uscc": "11990300LB0000310Q",
    "name": "合成住房和城乡建设局",
    "short_name": "合成住建局",
    "division": "430300000000",
    "parent_id": None,
    "active": True,
}


class Identity:
    """The snapshot endpoint of identity."""

    def __init__(self) -> None:
        self.departments = [DEPARTMENT]
        self.status = 200
        identity = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                assert self.path == "/identity/v1/org/snapshot"
                body = json.dumps({"departments": identity.departments, "staff": []}).encode()
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


async def _name(database: Database) -> str | None:
    async with database.sessions() as session:
        return await session.scalar(
            select(Department.name).where(Department.id == UUID(DEPARTMENT["department_id"]))
        )


def test_the_service_has_the_command() -> None:
    asked = CliRunner().invoke(cli, ["departments", "rebuild", "--help"])
    assert asked.exit_code == 0, asked.output


async def test_a_lost_projection_is_made_from_the_snapshot(database: Database, identity: Identity) -> None:
    assert await _name(database) is None
    assert await rebuild(database, Department, identity.url, httpx.Auth()) == 1
    assert await _name(database) == DEPARTMENT["name"]


async def test_a_snapshot_undoes_no_newer_news(database: Database, identity: Identity) -> None:
    facts = {name: DEPARTMENT[name] for name in ("uscc", "short_name", "division", "active")}
    newer = DepartmentState(id=UUID(DEPARTMENT["department_id"]), name="新名称", revision=5, **facts)
    async with database.sessions() as session, session.begin():
        await keep_departments(session, Department, [newer])
    await rebuild(database, Department, identity.url, httpx.Auth())
    assert await _name(database) == "新名称"


async def test_without_identity_nothing_changes(database: Database, identity: Identity) -> None:
    identity.status = 403
    with pytest.raises(PeerUnavailable):
        await rebuild(database, Department, identity.url, httpx.Auth())
    assert await _name(database) is None
