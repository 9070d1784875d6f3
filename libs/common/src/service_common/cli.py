"""``python -m <service> api | worker | all | migrate | openapi | dead-letters … | outbox … | data-keys …``: the same for every service."""

import asyncio
import gc
import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

import typer
import uvicorn
from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select, update

from service_common.app import Service, create_app, key_ring
from service_common.db import Database
from service_common.dead_letters import list_dead_letters, replay_dead_letter, show_dead_letter
from service_common.logging import configure_logging
from service_common.resealing import Progress, reseal, sealed_columns, values_by_key
from service_common.tables import outbox
from service_common.telemetry import configure_telemetry


def service_cli(define: Callable[[], Service]) -> typer.Typer:
    """The command line of a service; ``define`` reads its settings, so `--help` works without any."""
    cli = typer.Typer(no_args_is_help=True, add_completion=False, help="Run and operate this service.")

    def serve(*, api: bool, worker: bool) -> None:
        service = define()
        configure_telemetry(service.name, service.settings)
        configure_logging(service.name, service.settings)
        app = create_app(service, api=api, worker=worker)
        _spare_collector()
        uvicorn.run(
            app,
            host=service.settings.host,
            port=service.settings.port,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_keep_alive=75,  # longer than the edge keeps an idle upstream connection: no race on reuse
            timeout_graceful_shutdown=20,
        )

    @cli.command()
    def api() -> None:
        """Answer HTTP."""
        serve(api=True, worker=False)

    @cli.command()
    def worker() -> None:
        """Relay the outbox, consume events, run timers (HTTP for health and metrics only)."""
        serve(api=False, worker=True)

    @cli.command(name="all")
    def both() -> None:
        """API and worker in one process, to save memory on one machine."""
        serve(api=True, worker=True)

    @cli.command()
    def migrate() -> None:
        """Bring the database to the newest revision."""
        # Here, because alembic would add 0.1 s to the start of every process.
        from service_common.migrations import migrate as run_migrations  # noqa: PLC0415

        service = define()
        settings = service.settings
        run_migrations(
            settings.database_url.get_secret_value(), service.migrations, ca_file=settings.database_ca_file
        )

    @cli.command()
    def openapi(out: Path | None = None) -> None:
        """Write the OpenAPI document to a file, or to stdout."""
        service = define()
        text = json.dumps(create_app(service, worker=False).openapi(), ensure_ascii=False, indent=1)
        if out:
            out.write_text(text + "\n", encoding="utf-8")
        else:
            typer.echo(text)

    cli.add_typer(_dead_letters_cli(define), name="dead-letters")
    cli.add_typer(_outbox_cli(define), name="outbox")
    cli.add_typer(_data_keys_cli(define), name="data-keys")
    return cli


def _spare_collector() -> None:
    """Takes what the imports made out of the garbage collector's sight: it lives as long as the process.

    Otherwise each full collection walks through all of it, and every request of that moment waits for hundreds of
    milliseconds. Fewer of the young collections, too: a request makes thousands of objects and few cycles.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 20, 20)


def _dead_letters_cli(define: Callable[[], Service]) -> typer.Typer:
    cli = typer.Typer(no_args_is_help=True, help="Events that could not be handled.")

    @cli.command(name="list")
    def list_() -> None:
        """The newest dead letters that wait for somebody."""

        async def run(database: Database) -> None:
            async with database.sessions() as session:
                rows = await list_dead_letters(session)
            table = Table("id", "consumer", "subject", "tries", "died at", "error")
            for row in rows:
                table.add_row(
                    *map(str, (row.id, row.consumer, row.subject, row.tries, row.died_at, row.error[:80]))
                )
            Console().print(table)

        _with_database(define, run)

    @cli.command()
    def show(letter_id: int) -> None:
        """One dead letter with its event."""

        async def run(database: Database) -> None:
            async with database.sessions() as session:
                row = await show_dead_letter(session, letter_id)
            typer.echo(row.error)
            typer.echo(bytes(row.body).decode(errors="replace"))

        _with_database(define, run)

    @cli.command()
    def replay(letter_id: int) -> None:
        """Handle it again, once."""
        service = define()

        async def run(database: Database) -> None:
            app = create_app(service, worker=False)
            async with app.router.lifespan_context(app):
                ran = await replay_dead_letter(database, service.subscribers(app), letter_id)
            typer.echo("handled" if ran else "had been handled already")

        _with_database(lambda: service, run)

    return cli


def _outbox_cli(define: Callable[[], Service]) -> typer.Typer:
    cli = typer.Typer(no_args_is_help=True, help="Events on their way out.")

    @cli.command()
    def status() -> None:
        """How many wait, and since when."""

        async def run(database: Database) -> None:
            async with database.sessions() as session:
                waiting = select(func.count(), func.min(outbox.c.created_at)).where(
                    outbox.c.sent_at.is_(None)
                )
                count, oldest = (await session.execute(waiting)).one()
            typer.echo(f"{count} unsent, oldest {oldest or '–'}")

        _with_database(define, run)

    @cli.command()
    def resend(since: str) -> None:
        """Send everything again that was made since an instant (ISO 8601). Consumers recognise repeats."""

        async def run(database: Database) -> None:
            async with database.sessions() as session, session.begin():
                done = await session.execute(
                    update(outbox)
                    .where(outbox.c.created_at >= datetime.fromisoformat(since))
                    .values(sent_at=None, stream_sequence=None)
                )
            typer.echo(f"{getattr(done, 'rowcount', 0)} events will be sent again by the running relay")

        _with_database(define, run)

    return cli


def _data_keys_cli(define: Callable[[], Service]) -> typer.Typer:
    cli = typer.Typer(no_args_is_help=True, help="Keys that personal data is sealed with.")

    @cli.command()
    def status() -> None:
        """How many values each key of the ring has sealed."""
        service = define()

        async def run(database: Database) -> None:
            table = Table("column", "key", "values")
            async with database.sessions() as session:
                for one in sealed_columns(service.metadata):
                    for key_id, count in sorted((await values_by_key(session, one)).items()):
                        table.add_row(one.title, str(key_id), str(count))
            Console().print(table)

        _with_database(lambda: service, run)

    @cli.command(name="reseal")
    def reseal_command(batch: Annotated[int, typer.Option(min=1, max=1000)] = 100) -> None:
        """Seal everything with the newest key. Safe while the service runs, and to stop and begin again.

        Ends with 1 when something is left under an older key: then no key may leave the ring yet.
        """
        service = define()
        left: list[str] = []

        async def run(database: Database) -> None:
            left.extend(await _reseal_all(database, service, batch))

        _with_database(lambda: service, run)
        for line in left:
            typer.echo(line, err=True)
        if left:
            raise typer.Exit(1)
        typer.echo("everything is sealed with the newest key")

    return cli


async def _reseal_all(database: Database, service: Service, batch: int) -> list[str]:
    """Says how far it is, and returns what is left under older keys."""

    def tell(progress: Progress) -> None:
        typer.echo(f"{progress.column.title}: {progress.resealed} of {progress.due}")

    ring, left = key_ring(service.settings), []
    for done in await reseal(database, ring, service.metadata, batch=batch, tell=tell):
        async with database.sessions() as session:
            by_key = await values_by_key(session, done.column)
        if older := sum(by_key.values()) - by_key.get(ring.newest, 0):
            left.append(f"{done.column.title}: {older} left, {done.unreadable} do not open")
    return left


def _with_database(define: Callable[[], Service], run: Callable[[Database], Any]) -> None:
    async def with_database() -> None:
        database = Database.connect(define().settings)
        try:
            await run(database)
        finally:
            await database.close()

    asyncio.run(with_database())
