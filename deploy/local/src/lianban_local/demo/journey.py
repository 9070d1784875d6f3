"""``make demo``: the journey on the running platform, each step as it happens."""

import asyncio

import httpx
from rich.console import Console
from rich.table import Table

from lianban_local.demo.app import App
from lianban_local.demo.story import BUNDLE, Step, Story, convenience_store
from lianban_local.runfile import RunFile

console = Console(highlight=False)


def run(run_file: RunFile) -> None:
    """Walks it and shows it. Raises: Refused, NotHeard, TimeoutError."""
    console.print("[bold]我要开便利店[/bold]  I want to open a convenience store\n")
    story = asyncio.run(_walk(run_file))
    console.print(_links(run_file, story))


async def _walk(run_file: RunFile) -> Story:
    async with httpx.AsyncClient(timeout=30) as http:
        return await convenience_store(App(run_file, http), _tell)


def _tell(step: Step) -> None:
    console.print(
        f"[green]✓[/green] [bold]{step.what}[/bold]  [cyan]{step.who}[/cyan]  {step.milliseconds:,.0f} ms"
    )
    console.print(f"  {step.result}")


def _links(run_file: RunFile, story: Story) -> Table:
    table = Table("what", "where", title="To look at", title_justify="left")
    base = run_file.base_url
    table.add_row("documentation", f"{base}/docs")
    table.add_row("this bundle", f"{base}/acceptance/v1/bundles/{BUNDLE}")
    table.add_row("what it saves", f"{base}/acceptance/v1/bundles/{BUNDLE}/savings")
    table.add_row("published indicators", f"{base}/evaluation/v1/indicators")
    table.add_row(
        "this application (citizen's token)", f"{base}/acceptance/v1/applications/{story.application['id']}"
    )
    table.add_row("this ticket (citizen's token)", f"{base}/hotline/v1/tickets/{story.ticket['id']}")
    return table
