"""``python -m certificates_service api | worker | all | migrate | keys … | issuers … | departments … | …``."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import typer

from certificates_service.app import define_service
from certificates_service.departments.models import Department
from certificates_service.licences.handlers.standing import find_unpermitted
from certificates_service.settings import Settings
from certificates_service.signing.handlers import public_keys, rotate_key
from service_common.app import key_ring
from service_common.cli import service_cli
from service_common.clock import utc_now
from service_common.db import Database
from service_common.departments_cli import departments_cli

cli = service_cli(define_service)
keys = typer.Typer(no_args_is_help=True, help="Keys that licences are signed with.")
cli.add_typer(keys, name="keys")
issuers = typer.Typer(no_args_is_help=True, help="Departments that issue licences.")
cli.add_typer(issuers, name="issuers")
cli.add_typer(departments_cli(define_service, Department), name="departments")


@keys.command(name="list")
def list_keys() -> None:
    """Published keys, newest first."""

    async def run(database: Database, _settings: Settings) -> None:
        async with database.sessions() as session:
            for key in await public_keys(session):
                typer.echo(key["kid"])

    _with_database(run)


@keys.command()
def rotate(overlap_hours: float = 24.0) -> None:
    """Publish a new key now, and sign with it when every verifier has had time to fetch it."""

    async def run(database: Database, settings: Settings) -> None:
        async with database.sessions() as session, session.begin():
            key = await rotate_key(
                session, key_ring(settings), now=utc_now(), overlap=timedelta(hours=overlap_hours)
            )
        typer.echo(f"{key.kid} signs from {key.signs_from.isoformat()}")

    _with_database(run)


@issuers.callback()
def issuers_group() -> None:
    """Keeps `check` a word of its own while it is the only command."""


@issuers.command(name="check")
def check_issuers() -> None:
    """Living licences from departments that their types do not name: type, department, how many."""

    async def run(database: Database, _settings: Settings) -> None:
        async with database.sessions() as session:
            found = await find_unpermitted(session)
        for one in found:
            typer.echo(f"{one.type_code} {one.department_id} {one.licences}")
        typer.echo(f"{len(found)} pairs of type and issuer to look at")

    _with_database(run)


def _with_database(run: Callable[[Database, Settings], Awaitable[None]]) -> None:
    async def with_database() -> None:
        settings = Settings()
        database = Database.connect(settings)
        try:
            await run(database, settings)
        finally:
            await database.close()

    asyncio.run(with_database())


if __name__ == "__main__":
    cli()
