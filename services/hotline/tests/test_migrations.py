"""The migrations make exactly what the models say, and go back one version and forth again."""

from typing import Any

import psycopg
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection

import hotline_service.numbering.models
import hotline_service.tickets.models  # noqa: F401 - registers the rows
from hotline_service.app import MIGRATIONS
from hotline_service.db import Base
from lianban_local.testing.databases import TestPostgres
from service_common.db import Database
from service_common.migrations import config_for, migrate


async def test_models_and_migrations_agree(database: Database) -> None:
    def differences(connection: Connection) -> list[Any]:
        return list(compare_metadata(MigrationContext.configure(connection), Base.metadata))

    async with database.engine.connect() as connection:
        assert await connection.run_sync(differences) == []


def test_the_version_without_a_calendar_can_be_gone_back_to(postgres: TestPostgres) -> None:
    url = postgres.create_database("hotline_back", lambda fresh: migrate(fresh, MIGRATIONS))
    config = config_for(url, MIGRATIONS)
    with psycopg.connect(url, autocommit=True) as connection:
        command.downgrade(config, "0002")
        assert connection.execute("SELECT to_regclass('calendar_notices')").fetchone() == (None,)
        command.upgrade(config, "head")
        assert connection.execute("SELECT to_regclass('calendar_notices')").fetchone() != (None,)
