"""``python -m lianban_local``: what the Makefile calls."""

import asyncio
import importlib
import os
import shutil
import signal
from pathlib import Path
from typing import Annotated, NoReturn

import httpx
import psutil
import typer
from rich.console import Console
from rich.table import Table

from lianban_local import environment, leftovers, logs, openapi, runfile, seeding, unprivileged
from lianban_local.deployables import DEPLOYABLES
from lianban_local.narration import Narrator
from lianban_local.platform import Plan, Platform
from lianban_local.runfile import RunFile
from lianban_local.state import DEFAULT_FOLDER, AlreadyRunning, StateFolder

# Services get up to ten seconds, one group after another.
_STOP_SECONDS = 60.0

StateOption = Annotated[Path, typer.Option(help="Where everything is kept.")]

cli = typer.Typer(no_args_is_help=True, add_completion=False, help="The whole platform on this machine.")
console = Console(highlight=False)


@cli.command()
def run(
    state: StateOption = DEFAULT_FOLDER,
    empty: Annotated[bool, typer.Option("--empty", help="Without demo catalogue and people.")] = False,
) -> None:
    """Start everything and stay until Ctrl-C."""
    folder = StateFolder(state)
    narrator = Narrator(folder.log("supervisor"), console)
    plan = Plan(seed_command=None) if empty else Plan()
    try:
        code = asyncio.run(Platform(plan, folder, narrator).run(lambda ready: _present(ready, folder)))
    except AlreadyRunning:
        narrator.bad(f"already running in {folder.path}: `make stop` ends it")
        code = 1
    raise typer.Exit(code)


@cli.command()
def stop(state: StateOption = DEFAULT_FOLDER) -> None:
    """Stop what ``run`` started, from another terminal."""
    if not state.exists():
        console.print("nothing was ever started here")
        return
    folder = StateFolder(state)
    try:
        with folder.held():
            console.print("not running")
    except AlreadyRunning:
        supervisor = psutil.Process(int(folder.pid_file.read_text()))
        supervisor.send_signal(signal.SIGTERM)
        leftovers.wait_gone([supervisor], _STOP_SECONDS)
        console.print("stopped")
    leftovers.kill(leftovers.find(folder.path))


@cli.command()
def clean(state: StateOption = DEFAULT_FOLDER) -> None:
    """Stop, and delete every row, file, port and password."""
    stop(state)
    if state.exists():
        way = unprivileged.best_way()
        shutil.rmtree(unprivileged.data_folder(way, StateFolder(state).path / "postgres"), ignore_errors=True)
        shutil.rmtree(state)
    console.print("clean")


@cli.command()
def seed(state: StateOption = DEFAULT_FOLDER) -> None:
    """Load the demo data into the running platform."""
    folder = StateFolder(state)
    addresses = environment.known_addresses(folder, DEPLOYABLES)
    result = asyncio.run(seeding.seed(folder, addresses))
    runfile.write_run_json(
        folder.run_file,
        base_url=addresses.origin,
        issuer=addresses.issuer,
        accounts=result.accounts,
        clients=result.clients,
    )


@cli.command()
def demo(state: StateOption = DEFAULT_FOLDER) -> None:
    """Walk the main journey on the running platform."""
    file = StateFolder(state).run_file
    if not file.exists():
        _not_yet("There is no platform to walk through: `make run` starts one.")
    ready = runfile.read_run_json(file)
    if not ready.accounts:
        _not_yet("The platform is still loading its demo people: wait for the table that `make run` shows.")
    try:
        httpx.get(f"{ready.issuer}/.well-known/openid-configuration")
    except httpx.ConnectError:
        _not_yet(f"Nothing answers at {ready.base_url}: `make run` starts the platform again.")
    importlib.import_module("lianban_local.demo.journey").run(ready)


def _not_yet(why: str) -> NoReturn:
    """For what works a little later: said in a line, without a trace of calls."""
    console.print(f"[red]✗[/red] {why}")
    raise typer.Exit(1)


@cli.command(name="logs")
def show_logs(
    only: Annotated[str | None, typer.Argument(help="One process.")] = None,
    state: StateOption = DEFAULT_FOLDER,
) -> None:
    """Follow the logs until Ctrl-C."""
    folder = StateFolder(state)
    files = [folder.log(only)] if only else sorted(folder.folder("logs").glob("*.log"))
    try:
        for name, line in logs.follow(files):
            console.print(f"{name:>14} │ ", style="cyan", end="")
            console.print(line, markup=False, soft_wrap=True)
    except KeyboardInterrupt:
        return


@cli.command()
def migration(service: str, message: str) -> None:
    """Write a service's next migration from the difference between its models and its migrations."""
    # Here, because alembic and SQLAlchemy would add a second to every other command.
    from lianban_local.migration import write_migration  # noqa: PLC0415

    deployable = {one.name: one for one in DEPLOYABLES}.get(service)
    if deployable is None or not message:
        raise typer.BadParameter('make migration S=acceptance m="add cards"')
    console.print(f"wrote {write_migration(deployable, message)}")


@cli.command(name="openapi")
def write_openapi(out: Path = Path("docs/openapi")) -> None:
    """Write every service's OpenAPI document."""
    for file in openapi.write_documents(out):
        console.print(f"wrote {file}")


def _present(ready: RunFile, folder: StateFolder) -> None:
    """The table that a newcomer looks at."""
    places = Table("what", "where", title="Lianban 联办 is up", title_justify="left")
    places.add_row("origin", ready.base_url)
    places.add_row("documentation", f"{ready.base_url}/docs")
    places.add_row("OpenAPI", f"{ready.base_url}/openapi.json")
    places.add_row("sign-in", f"{ready.issuer}/.well-known/openid-configuration")
    places.add_row("for scripts", os.path.relpath(folder.run_file))
    places.add_row("logs", os.path.relpath(folder.folder("logs")))
    console.print(places)
    if ready.accounts:
        people = Table(
            "role", "user name", "password", "department", title="Demo log-ins", title_justify="left"
        )
        for account in ready.accounts:
            people.add_row(account.role, account.username, account.password, account.department or "")
        console.print(people)
    console.print("Ctrl-C or `make stop` stops everything.")


if __name__ == "__main__":
    cli()
