"""The gateway as a service: its migrations, its routes, its settings."""

from typing import Any

import httpx
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection
from typer.testing import CliRunner

from gateway_service.__main__ import cli
from gateway_service.db import Base
from service_common.db import Database


async def test_the_migrations_make_what_the_models_say(database: Database) -> None:
    def difference(connection: Connection) -> list[Any]:
        return list(
            compare_metadata(
                MigrationContext.configure(connection, opts={"compare_type": True}), Base.metadata
            )
        )

    async with database.engine.connect() as connection:
        assert await connection.run_sync(difference) == []


async def test_the_api_is_ready(anybody: httpx.AsyncClient) -> None:
    answer = await anybody.get("/health/ready")
    assert answer.json() == {
        "status": "ready",
        "checks": {"database": True, "migrations": True, "nats": True},
    }


@pytest.mark.parametrize("command", ["api", "worker", "all", "migrate", "envoy", "openapi"])
def test_the_command_line_helps(command: str) -> None:
    assert CliRunner().invoke(cli, [command, "--help"]).exit_code == 0
