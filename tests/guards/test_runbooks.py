"""What a runbook tells a tired person to type exists, and every alarm has its page."""

import importlib
import re
from pathlib import Path

import pytest
import typer
import yaml
from typer.core import TyperGroup

ROOT = Path(__file__).resolve().parents[2]
PAGES = (*sorted((ROOT / "docs" / "runbooks").glob("*.md")), *sorted((ROOT / "deploy" / "k8s").glob("*.md")))
COMMAND = re.compile(r"python -m (?:(\w+)_service|\$\{service\}_service)((?: [a-z][a-z-]*)+)")

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def resolve(service: str, words: list[str]) -> None:
    """Follows the words through the command line of a service, as far as they are names of commands."""
    cli = importlib.import_module(f"{service}_service.__main__").cli
    command = typer.main.get_command(cli)
    for word in words:
        if not isinstance(command, TyperGroup):
            return
        assert word in command.commands, f"{service}: no command {word!r} among {sorted(command.commands)}"
        command = command.commands[word]
    assert not isinstance(command, TyperGroup), f"{service} {words} names a group, not a command"


def test_a_command_that_is_not_there_is_found_out() -> None:
    resolve("acceptance", ["dead-letters", "list"])
    for wrong in (["dead-letters", "burn"], ["dead-letters"], ["explode"]):
        with pytest.raises(AssertionError):
            resolve("acceptance", wrong)


@each_page
def test_commands_in_runbooks_exist(page: Path) -> None:
    for service, words in COMMAND.findall(page.read_text()):
        resolve(service or "acceptance", words.split())


def test_runbooks_use_commands_at_all() -> None:
    used = {match for page in PAGES for match in COMMAND.findall(page.read_text())}
    assert len(used) >= 8


@each_page
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize(
    "page",
    [page for page in PAGES if page.parent.name == "runbooks" and page.name != "README.md"],
    ids=lambda p: p.stem,
)
def test_every_runbook_is_listed_and_says_how_to_undo(page: Path) -> None:
    assert f"({page.name})" in (page.parent / "README.md").read_text()
    assert re.search(r"## Undo|\*\*Undo:\*\*", page.read_text())


def test_every_alarm_has_its_page() -> None:
    rules = yaml.safe_load(
        (ROOT / "deploy" / "k8s" / "components" / "monitoring" / "alarms.yaml").read_text()
    )
    index = (ROOT / "docs" / "runbooks" / "README.md").read_text()
    for group in rules["spec"]["groups"]:
        for rule in group["rules"]:
            page = ROOT / rule["annotations"]["runbook"]
            assert page.exists()
            assert f"`{rule['alert']}` | [" in index
            assert rule["alert"] in page.read_text()
