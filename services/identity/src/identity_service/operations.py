"""What operators do at the machine and not over the API: the first administrator, new signing keys."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Annotated, TypeVar

import pyotp
import typer
from sqlalchemy.ext.asyncio import AsyncSession

from identity_service.accounts.handlers import prepare_password, username_exists
from identity_service.organisation.domain import Role
from identity_service.organisation.handlers import departments, staff
from identity_service.relying_parties import handlers as clients
from identity_service.settings import Settings
from identity_service.signing.domain import ALGORITHM
from identity_service.signing.handlers import load_keys, rotate_key
from service_common.app import key_ring
from service_common.clock import utc_now
from service_common.crypto import KeyRing
from service_common.db import Database

Result = TypeVar("Result")


def add_operations(cli: typer.Typer) -> None:
    """Adds identity's own commands to the service's command line."""
    cli.command()(create_administrator)
    keys = typer.Typer(no_args_is_help=True, help="The keys that sign tokens.")
    keys.command(name="rotate")(rotate)
    keys.command(name="list")(list_keys)
    cli.add_typer(keys, name="signing-keys")


def create_administrator(
    *,
    username: Annotated[str, typer.Option(help="User name of the first operator.")],
    name: Annotated[str, typer.Option(help="The operator's own name.")],
    department_uscc: Annotated[str, typer.Option(help="Credit code of the organ that runs the platform.")],
    department_name: Annotated[str, typer.Option(help="Name of that organ, used when it is not there yet.")],
    division: Annotated[str, typer.Option(help="Division of that organ, 6 to 12 digits.")],
    password: Annotated[
        str | None,
        typer.Option(envvar="ADMINISTRATOR_PASSWORD", help="Otherwise made up and shown."),
    ] = None,
    totp_secret: Annotated[
        str | None,
        typer.Option(envvar="ADMINISTRATOR_TOTP_SECRET", help="Base32; otherwise made up and shown."),
    ] = None,
    client_id: Annotated[
        str, typer.Option(help="The platform's own app, through which to log in.")
    ] = "lianban-app",
    redirect_uri: Annotated[
        list[str] | None,
        typer.Option(help="Where that app gets its codes. Loopback addresses may use any port (RFC 8252)."),
    ] = None,
) -> None:
    """Make the first operator, and the app to log in with, who makes everybody else over the API.

    What exists already is left as it is.
    """
    secret = totp_secret or staff.new_totp_secret()
    chosen = password or staff.new_password()
    facts = departments.DepartmentFacts(
        uscc=department_uscc,
        unit_suffix="",
        name=department_name,
        short_name=department_name[:40],
        division=division,
        parent_id=None,
    )

    async def work(session: AsyncSession, ring: KeyRing, _settings: Settings) -> bool:
        if await username_exists(session, username):
            return False
        found = await departments.list_departments(
            session, uscc=department_uscc, division=None, after=None, limit=1
        )
        department = found[0] if found else await departments.add_department(session, facts, now=utc_now())
        new = staff.NewStaff(
            username=username,
            password_hash=await prepare_password(chosen, username=username),
            totp_secret=secret,
            name=name,
            department_id=department.id,
            roles=[Role.OPERATOR],
        )
        first = await staff.add_staff(session, ring, new, now=utc_now())
        await clients.register_own_app(
            session,
            client_id=client_id,
            redirect_uris=redirect_uri or ["http://127.0.0.1/callback"],
            by=first.id,
        )
        return True

    if not _in_transaction(work):
        typer.echo(f"{username} exists already, nothing was changed")
        return
    typer.echo(f"user name:  {username}")
    if password is None:
        typer.echo(f"password:   {chosen}")
    if totp_secret is None:
        typer.echo(f"TOTP seed:  {secret}")
        typer.echo(f"TOTP URI:   {pyotp.TOTP(secret).provisioning_uri(name=username, issuer_name='联办')}")


def rotate() -> None:
    """Make the next signing keys. They are published at once and sign after IDENTITY_SIGNING_KEY_LEAD_SECONDS."""

    async def work(session: AsyncSession, ring: KeyRing, settings: Settings) -> list[str]:
        return [
            await rotate_key(
                session,
                ring,
                lead=timedelta(seconds=settings.signing_key_lead_seconds),
                kept=timedelta(days=settings.signing_key_kept_days),
                now=utc_now(),
                algorithm=algorithm,
            )
            for algorithm in (ALGORITHM, *sorted(settings.further_id_token_algorithms))
        ]

    for kid in _in_transaction(work):
        typer.echo(kid)


def list_keys() -> None:
    """The published keys and since when, or from when on, they sign."""

    async def work(session: AsyncSession, ring: KeyRing, _settings: Settings) -> list[str]:
        keys = await load_keys(session, ring, now=utc_now())
        return [
            f"{span.kid}  {span.algorithm}  signs from {span.signs_from:%Y-%m-%d %H:%M:%S} UTC"
            for span in keys.spans
        ]

    for line in _in_transaction(work):
        typer.echo(line)


def _in_transaction(
    work: Callable[[AsyncSession, KeyRing, Settings], Coroutine[None, None, Result]],
) -> Result:
    async def run() -> Result:
        settings = Settings()
        database = Database.connect(settings)
        try:
            async with database.sessions.begin() as session:
                return await work(session, key_ring(settings), settings)
        finally:
            await database.close()

    return asyncio.run(run())
