"""``python -m acceptance_service departments rebuild``: the projection, made anew from identity's snapshot."""

import asyncio
from collections.abc import Callable

import httpx
import typer

from acceptance_service.clients.organisation import OrganisationClient
from acceptance_service.departments.handlers import apply_departments
from acceptance_service.starting import peer_login
from service_common.app import Service
from service_common.db import Database
from service_common.http import ServiceClient


async def rebuild(database: Database, identity_url: str, login: httpx.Auth) -> int:
    """Applies the snapshot; events that come later and are newer go on from there. Returns how many departments.

    Raises: PeerUnavailable.
    """
    client = ServiceClient(identity_url, login)
    try:
        states = await OrganisationClient(client).snapshot()
    finally:
        await client.close()
    async with database.sessions() as session, session.begin():
        await apply_departments(session, states)
    return len(states)


def departments_cli(define: Callable[[], Service]) -> typer.Typer:
    """Commands about the projection of departments."""
    cli = typer.Typer(no_args_is_help=True, help="The projection of identity's departments.")

    @cli.callback()
    def group() -> None:
        """Keeps `rebuild` a word of its own while it is the only command."""

    @cli.command(name="rebuild")
    def rebuild_command() -> None:
        """Take identity's snapshot over. Safe while the worker runs."""
        settings = define().settings

        async def run() -> int:
            database = Database.connect(settings)
            try:
                return await rebuild(database, settings.identity_url, peer_login(settings))
            finally:
                await database.close()

        typer.echo(f"{asyncio.run(run())} departments")

    return cli
