"""The service's own commands, run as an operator runs them."""

import asyncio
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from joserfc.jwk import ECKey
from typer.testing import CliRunner

from certificates_service.__main__ import cli
from certificates_service.departments.handlers import departments_by_id
from certificates_service.settings import Settings
from service_common.db import Database

DEPARTMENT: dict[str, Any] = {
    "department_id": "00000000-0000-7000-8000-0000000000a7",
    "revision": 4,
    "uscc": "11990000LB0000484J",
    "name": "示例市交通运输局",
    "short_name": "交通局",
    "division": "430300000000",
    "parent_id": None,
    "active": True,
}


@pytest.fixture
def identity() -> Iterator[str]:
    """Identity's two answers that a rebuild needs, over real HTTP; the assertion has to be there."""
    app = FastAPI()

    @app.post("/identity/token")
    async def token(request: Request) -> JSONResponse:
        form = (await request.body()).decode()
        if "client_assertion=ey" not in form or "grant_type=client_credentials" not in form:
            return JSONResponse({"error": "invalid_client"}, 401)
        return JSONResponse({"access_token": "a-token", "expires_in": 300, "token_type": "Bearer"})

    @app.get("/identity/v1/org/snapshot")
    async def snapshot(request: Request) -> JSONResponse:
        if request.headers.get("authorization") != "Bearer a-token":
            return JSONResponse({"code": "unauthenticated"}, 401)
        return JSONResponse({"departments": [DEPARTMENT], "staff": []})

    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    server.should_exit = True
    thread.join()
    listener.close()


@pytest.fixture
def environment(settings: Settings, identity: str, tmp_path: Path) -> dict[str, str]:
    key = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True)
    key_file = tmp_path / "certificates.jwk"
    key_file.write_text(json.dumps(key.as_dict(private=True)))
    return os.environ | {
        "CERTIFICATES_DATABASE_URL": settings.database_url.get_secret_value(),
        "CERTIFICATES_NATS_URL": settings.nats_url.get_secret_value(),
        "CERTIFICATES_ISSUER": settings.issuer,
        "CERTIFICATES_IDENTITY_URL": identity,
        "CERTIFICATES_DATA_KEYS": settings.data_keys.get_secret_value(),
        "CERTIFICATES_INDEX_KEY": settings.index_key.get_secret_value(),
        "CERTIFICATES_CLIENT_KEY_FILE": str(key_file),
    }


async def run(environment: dict[str, str], *arguments: str) -> str:
    def command() -> Any:
        return subprocess.run(
            [sys.executable, "-m", "certificates_service", *arguments],
            env=environment,
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
        )

    return str((await asyncio.to_thread(command)).stdout)


async def test_departments_are_rebuilt_from_identitys_snapshot(
    environment: dict[str, str], empty_database: Database
) -> None:
    assert "1 departments" in await run(environment, "departments", "rebuild")
    async with empty_database.sessions() as session:
        [row] = (await departments_by_id(session, [UUID(DEPARTMENT["department_id"])])).values()
    assert (row.name, row.revision) == ("示例市交通运输局", 4)


async def test_a_key_is_rotated_and_listed(environment: dict[str, str]) -> None:
    said = await run(environment, "keys", "rotate", "--overlap-hours", "1")
    key_id = said.split()[0]
    assert key_id in await run(environment, "keys", "list")


def test_issuers_can_be_checked() -> None:
    asked = CliRunner().invoke(cli, ["issuers", "check", "--help"])
    assert asked.exit_code == 0, asked.output
