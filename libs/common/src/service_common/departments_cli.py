"""``python -m <service> departments rebuild``: the projection of departments, made anew from identity's snapshot."""

import asyncio
from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx
import typer
from pydantic import BaseModel

from service_common.app import Service
from service_common.db import Database
from service_common.departments import DepartmentState, StaffState, keep_departments, keep_staff
from service_common.http import PeerUnavailable, ServiceClient, ServiceToken
from service_common.settings import ServiceSettings


class _Department(BaseModel):
    department_id: UUID
    revision: int
    uscc: str
    name: str
    short_name: str
    division: str
    parent_id: UUID | None
    active: bool


class _Staff(BaseModel):
    staff_id: UUID
    revision: int
    department_id: UUID
    active: bool


class _Snapshot(BaseModel):
    departments: list[_Department]
    staff: list[_Staff] = []


async def rebuild(
    database: Database,
    model: type[Any],
    identity_url: str,
    login: httpx.Auth,
    *,
    staff: type[Any] | None = None,
) -> int:
    """Applies the snapshot; events that come later and are newer go on from there. Returns how many departments.

    With a model of ``staff`` that projection is made anew too. Raises: PeerUnavailable, also when identity refuses.
    """
    client = ServiceClient(identity_url, login)
    try:
        answer = await client.call("GET", "/identity/v1/org/snapshot")
    finally:
        await client.close()
    if answer.status_code != 200:
        raise PeerUnavailable
    told = _Snapshot.model_validate_json(answer.content)
    states = [
        DepartmentState(id=one.department_id, **one.model_dump(exclude={"department_id"}))
        for one in told.departments
    ]
    async with database.sessions() as session, session.begin():
        await keep_departments(session, model, states)
        if staff is not None:
            await keep_staff(session, staff, [_assignment(one) for one in told.staff])
    return len(states)


def _assignment(one: _Staff) -> StaffState:
    return StaffState(one.staff_id, one.department_id, one.active, one.revision)


def own_login(settings: ServiceSettings, client_id: str) -> httpx.Auth:
    """The service's own OAuth client at identity; without a key there is none, and identity refuses."""
    if settings.client_key_file is None:
        return httpx.Auth()
    return ServiceToken(
        client_id=client_id,
        key_file=settings.client_key_file,
        issuer=settings.issuer,
        token_url=f"{settings.identity_url}/identity/token",
    )


def departments_cli(
    define: Callable[[], Service], model: type[Any], staff: type[Any] | None = None
) -> typer.Typer:
    """Commands about the projection of departments that a service keeps in ``model``, with a revision; and of ``staff``."""
    cli = typer.Typer(no_args_is_help=True, help="The projection of identity's departments.")

    @cli.callback()
    def group() -> None:
        """Keeps `rebuild` a word of its own while it is the only command."""

    @cli.command(name="rebuild")
    def rebuild_command() -> None:
        """Take identity's snapshot over; newer news already heard stays. Safe while the worker runs."""
        service = define()
        settings = service.settings
        login = own_login(settings, service.name)

        async def run() -> int:
            database = Database.connect(settings)
            try:
                return await rebuild(database, model, settings.identity_url, login, staff=staff)
            finally:
                await database.close()

        typer.echo(f"{asyncio.run(run())} departments")

    return cli
