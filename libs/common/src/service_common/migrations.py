"""Migrations by Alembic, guarded: one at a time, and never waiting long for a lock that users hold."""

import asyncio
from pathlib import Path

from alembic import command, context
from alembic.config import Config
from sqlalchemy import Connection, MetaData, text
from sqlalchemy.pool import NullPool

from service_common.db import open_engine

# Any constant: "one migration at a time" within a service's own database.
_MIGRATION_LOCK = 7_210_002


def config_for(database_url: str, migrations: Path, ca_file: Path | None = None) -> Config:
    """Alembic's configuration without an ini file."""
    config = Config()
    config.set_main_option("script_location", str(migrations))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes.update(database_url=database_url, ca_file=ca_file)
    return config


def migrate(
    database_url: str, migrations: Path, revision: str = "head", *, ca_file: Path | None = None
) -> None:
    """Upgrades to a revision. Safe to start twice at once."""
    command.upgrade(config_for(database_url, migrations, ca_file), revision)


def run_env(metadata: MetaData) -> None:
    """The body of a service's ``migrations/env.py``."""
    told = context.config.attributes
    asyncio.run(_run_online(told["database_url"], told["ca_file"], metadata))


async def _run_online(database_url: str, ca_file: Path | None, metadata: MetaData) -> None:
    engine = open_engine(database_url, ca_file, poolclass=NullPool)
    try:
        async with engine.connect() as connection:
            await connection.run_sync(_run, metadata)
            await connection.commit()
    finally:
        await engine.dispose()


def _run(connection: Connection, metadata: MetaData) -> None:
    context.configure(connection=connection, target_metadata=metadata, compare_type=True)
    with context.begin_transaction():
        connection.execute(text("SET LOCAL lock_timeout = '10s'"))
        connection.execute(text("SET LOCAL statement_timeout = '10min'"))
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})
        context.run_migrations()
