"""What the pages promise is there: tests by their names, decisions, links, log-ins, commands, words."""

import ast
import json
import re
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from lianban_local.demo.people import CAST, PASSWORD
from lianban_local.deployables import ROOT

DOCS = ROOT / "docs"
READMES = (ROOT / "README.md", ROOT / "README.zh-CN.md")
LINK = re.compile(r"\]\(([^()\s]+)\)")
CODE_BLOCK = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)


def tracked(*patterns: str) -> list[Path]:
    command = ["git", "ls-files", "-z", "--", *patterns]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


PAGES = tracked("*.md")
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())


def cells(page: Path) -> Iterator[list[str]]:
    """The rows of all tables of a page, without their heads."""
    for line in page.read_text(encoding="utf-8").splitlines():
        row = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and not set(line) <= set("|- "):
            yield row


# -- tests that pages name


@cache
def functions(file: Path) -> frozenset[str]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    return frozenset(
        node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def named_tests(cell: str) -> Iterator[tuple[str, str]]:
    """``path::test`` and, after it, ``::test`` of the same file."""
    path = ""
    for here, name in re.findall(r"`([\w./-]*)::(\w+)`", cell):
        path = here or path
        yield path, name


def test_shorthand_of_tests_is_read_in_order() -> None:
    cell = "`a/test_x.py::test_one`, `::test_two`, `b/test_y.py::test_three`"
    assert list(named_tests(cell)) == [
        ("a/test_x.py", "test_one"),
        ("a/test_x.py", "test_two"),
        ("b/test_y.py", "test_three"),
    ]


def test_every_guarantee_is_held_by_a_test_that_exists() -> None:
    promises = [row for row in cells(DOCS / "guarantees.md") if row[0] != "promise"]
    assert len(promises) > 10
    for promise, holders in promises:
        named = list(named_tests(holders))
        assert named, promise
        for path, name in named:
            assert (ROOT / path).is_file(), path
            assert name in functions(ROOT / path), f"{path}::{name}"


def test_every_module_of_a_certification_plan_is_answered_by_a_test_that_exists() -> None:
    rows = [row for row in cells(DOCS / "identity-conformance.md") if len(row) == 4 and row[-1] != "result"]
    assert len(rows) > 50
    for module, _demands, shown_by, result in rows:
        named = list(named_tests(shown_by))
        assert named or result.startswith(("skipped", "refused", "not applicable")), module
        for path, name in named:
            assert name in functions(ROOT / path), f"{path}::{name}"


def test_what_the_status_calls_done_or_partly_done_has_its_tests() -> None:
    rows = [row for row in cells(DOCS / "status.md") if row[-1] != "state"]
    assert len(rows) > 10
    for _point, shown_by, state in rows:
        assert state.split()[0].strip(":,;*") in {"done", "partly", "not"}, state
        if state.startswith("not"):
            continue
        for path, name in named_tests(shown_by):
            assert name in functions(ROOT / path), f"{path}::{name}"
        for path in re.findall(r"`([\w./-]*tests/[\w./-]*|[\w./-]*/tests)`", shown_by):
            assert (ROOT / path).exists(), f"{path}, of a row that is {state}"


# -- decisions


def test_every_decision_is_in_the_table_with_its_title_and_status() -> None:
    listed = {row[0]: row for row in cells(DOCS / "adr" / "README.md") if row[0] != "No."}
    records = [file for file in tracked("docs/adr/*.md") if file.name != "README.md"]
    assert len(records) >= 5
    numbers = [int(file.name[:4]) for file in records]
    assert numbers == list(range(1, len(records) + 1)), "numbers run without gaps"
    for number, file in zip(numbers, records, strict=True):
        row = listed.pop(f"[{number}]({file.name})", None)
        assert row, f"{file.name} is not in the table"
        text = file.read_text(encoding="utf-8")
        assert text.splitlines()[0] == f"# {number}. {row[1]}"
        [status] = re.findall(r"^Status: (\w+)", text, re.MULTILINE)
        assert row[2].startswith(status), file.name
    assert listed == {}, "the table names decisions that are not there"


# -- links


def slug(heading: str) -> str:
    """The anchor that a Git host gives a heading."""
    plain = re.sub(r"[`*]|\[|\]\([^)]*\)", "", heading).strip().lower()
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")


def anchors(page: Path) -> set[str]:
    text = CODE_BLOCK.sub("", page.read_text(encoding="utf-8"))
    return {slug(heading) for heading in re.findall(r"^#+ (.+)$", text, re.MULTILINE)}


@each_page
def test_links_lead_to_what_is_in_the_repository(page: Path) -> None:
    for target in LINK.findall(CODE_BLOCK.sub("", page.read_text(encoding="utf-8"))):
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        assert file.is_relative_to(ROOT), target
        assert file.exists(), target
        if anchor:
            assert anchor in anchors(file), target


# -- the two READMEs


def commands(page: Path) -> list[str]:
    """What is to be typed, without what is said about it."""
    blocks = re.findall(r"^```bash\n(.*?)^```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [line.split("#")[0].strip() for block in blocks for line in block.splitlines()]


def test_both_languages_say_the_same_commands_links_and_names() -> None:
    english, chinese = (page.read_text(encoding="utf-8") for page in READMES)
    assert commands(READMES[0]) == commands(READMES[1])
    assert set(LINK.findall(english)) ^ set(LINK.findall(chinese)) == {"README.md", "README.zh-CN.md"}
    names = r"`([^`\n]+)`"
    assert sorted(set(re.findall(names, english)) ^ set(re.findall(names, chinese))) == []


@pytest.mark.parametrize("page", READMES, ids=lambda page: page.name)
def test_the_readme_names_commands_places_and_a_log_in_that_exist(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:`|^|&& )make ([a-z-]+)", text, re.MULTILINE))
    assert {"run", "demo", "test", "bench", "check", "migration"} <= named <= targets
    citizens = {one["username"] for one in CAST["citizens"] if one["role"] == "citizen"}
    assert any(f"`{name}`" in text for name in citizens)
    assert f"`{PASSWORD}`" in text
    for place in re.findall(r"`((?:services|libs|tests|data|deploy)/[\w./-]+)`", text):
        assert (ROOT / place).parent.exists(), place


# -- words


def test_the_glossary_holds_words_of_the_code_alone() -> None:
    sources = [
        *tracked("libs/*/src/*.py", "gateway/src/*.py", "services/*/src/*.py"),
        *tracked("data/catalogue/schema/*.json"),
    ]
    words = {word for file in sources for word in re.findall(r"[\w-]+", file.read_text(encoding="utf-8"))}
    rows = [row for row in cells(DOCS / "glossary.md") if row[0] != "Chinese"]
    assert len(rows) > 70
    identifiers = {word for row in rows for word in re.findall(r"`([^`]+)`", row[1])}
    assert identifiers - words == set()


def test_the_events_page_and_the_samples_name_the_same_subjects() -> None:
    page = (DOCS / "events.md").read_text(encoding="utf-8")
    samples = tracked("tests/contracts/samples/*.json")
    subjects = {json.loads(file.read_text(encoding="utf-8"))["type"] for file in samples}
    assert set(re.findall(r"`(gov\.[\w.-]+\.v\d+)`", page)) == subjects
