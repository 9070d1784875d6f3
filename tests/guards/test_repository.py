"""What must hold of the repository as it is cloned: nothing of a machine in it, locks that pin, services that are whole."""

import csv
import gzip
import json
import re
import subprocess
import tomllib
from collections.abc import Iterator
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from lianban_local.deployables import DEPLOYABLES, ROOT, Deployable

LOCKS = (ROOT / "requirements.lock", *(one.folder / "requirements.lock" for one in DEPLOYABLES))
SOMEBODYS_FOLDER = re.compile(r"(?<![\w.}/$-])/(?:root|work|workspace|home/\w+|Users/\w+)(?![\w.-])")
INDEX_ADDRESS = re.compile(
    r"https?://[^\s\"'<>)]*(?:/simple\b|pypi|pythonhosted|npmjs|proxy\.golang|artifactory|nexus|devpi)",
    re.IGNORECASE,
)


@cache
def tracked() -> tuple[str, ...]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return tuple(name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file())


def texts() -> Iterator[tuple[str, str]]:
    """Every tracked file that is text."""
    for name in tracked():
        content = (ROOT / name).read_bytes()
        if b"\0" not in content:
            yield name, content.decode("utf-8")


def toml(path: str) -> dict[str, Any]:
    return tomllib.loads((ROOT / path).read_text(encoding="utf-8"))


# -- nothing of a machine


def test_the_patterns_find_what_they_are_for() -> None:
    for machine in ("/root/x", "cd /workspace\n", '"/home/somebody"', "=/Users/somebody/y"):
        assert SOMEBODYS_FOLDER.search(machine), machine
    for ours in ("network/root", "/workers", "https://host/work", "/rooted", "/work-calendar"):
        assert not SOMEBODYS_FOLDER.search(ours), ours
    assert INDEX_ADDRESS.search("--index-url https://mirror.example/repository/simple/")
    assert INDEX_ADDRESS.search("https://files.pythonhosted.org/packages/x.whl")
    assert not INDEX_ADDRESS.search("https://www.standardwebhooks.com")


def test_no_file_names_a_place_on_somebodys_machine() -> None:
    own = Path(__file__).relative_to(ROOT).as_posix()
    found = [
        (name, hit[0]) for name, text in texts() if name != own for hit in SOMEBODYS_FOLDER.finditer(text)
    ]
    assert found == []


def test_no_file_holds_the_address_of_a_package_index() -> None:
    own = Path(__file__).relative_to(ROOT).as_posix()
    found = [(name, hit[0]) for name, text in texts() if name != own for hit in INDEX_ADDRESS.finditer(text)]
    assert found == []


def test_no_lock_of_a_tool_that_records_addresses() -> None:
    addresses_inside = {
        "uv.lock",
        "poetry.lock",
        "Pipfile.lock",
        "pdm.lock",
        "yarn.lock",
    }
    assert [name for name in tracked() if Path(name).name in addresses_inside] == []


def test_locks_of_npm_pin_by_hash_and_name_no_registry() -> None:
    locks = [ROOT / name for name in tracked() if Path(name).name == "package-lock.json"]
    for lock in locks:
        packages = json.loads(lock.read_text())["packages"]
        assert packages
        assert [name for name, one in packages.items() if name and "integrity" not in one] == []
        assert [name for name, one in packages.items() if "resolved" in one] == []


# -- locks


def requirements(lock: Path) -> dict[str, str]:
    """The requirement of each package, as written; the hashes that must follow it are checked on the way."""
    lines = [line for line in lock.read_text().splitlines() if line.strip() and not line.startswith("#")]
    found: dict[str, str] = {}
    hashes: dict[str, int] = {}
    name = ""
    for line in lines:
        text = line.strip().removesuffix("\\").strip()
        if text.startswith("--hash="):
            assert re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", text), text
            hashes[name] += 1
            continue
        pinned = Requirement(text)
        assert [one.operator for one in pinned.specifier] == ["=="], text
        assert pinned.url is None, text
        name = pinned.name
        found[name], hashes[name] = text, 0
    assert [name for name, count in hashes.items() if count == 0] == []
    return found


each_lock = pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.parent.relative_to(ROOT).as_posix())


@each_lock
def test_a_lock_pins_every_package_by_hash_and_names_no_index(lock: Path) -> None:
    assert len(requirements(lock)) > 20
    assert not re.search(
        r"://|--(?:extra-)?index-url|--find-links|--trusted-host|^-e ", lock.read_text(), re.MULTILINE
    )


@pytest.mark.parametrize("deployable", DEPLOYABLES, ids=lambda one: one.name)
def test_an_image_installs_what_the_tests_ran_with(deployable: Deployable) -> None:
    def versions(lock: Path) -> set[tuple[str, str]]:
        return {(name, str(Requirement(text).specifier)) for name, text in requirements(lock).items()}

    assert versions(deployable.folder / "requirements.lock") - versions(ROOT / "requirements.lock") == set()


# -- members


def members() -> list[str]:
    workspace: list[str] = toml("pyproject.toml")["tool"]["uv"]["workspace"]["members"]
    return workspace


def shell_list(script: str) -> list[str]:
    [inside] = re.findall(r"^members=\(([^)]*)\)", (ROOT / "scripts" / script).read_text(), re.MULTILINE)
    return str(inside).split()


def test_every_place_names_the_same_members() -> None:
    names = [toml(f"{folder}/pyproject.toml")["project"]["name"] for folder in members()]
    root = toml("pyproject.toml")
    assert shell_list("bootstrap.sh") == members()
    assert shell_list("lock.sh") == names
    assert root["project"]["dependencies"] == names
    assert list(root["tool"]["uv"]["sources"]) == names


def test_every_service_is_a_member_that_is_started() -> None:
    folders = {one.folder.relative_to(ROOT).as_posix() for one in DEPLOYABLES}
    assert folders <= set(members())
    services = {path.parent.relative_to(ROOT).as_posix() for path in ROOT.glob("services/*/pyproject.toml")}
    assert folders == {"gateway", *services}


# -- services


@pytest.mark.parametrize("deployable", DEPLOYABLES, ids=lambda one: one.name)
def test_a_service_is_whole(deployable: Deployable) -> None:
    folder = deployable.folder.relative_to(ROOT).as_posix()
    for part in ("README.md", "Dockerfile", "Dockerfile.dockerignore", "pyproject.toml", "requirements.lock"):
        assert f"{folder}/{part}" in tracked()
    numbered = sorted(path.name[:4] for path in deployable.migrations.glob("versions/[0-9]*.py"))
    assert numbered == [f"{number:04d}" for number in range(1, len(numbered) + 1)]
    assert (deployable.migrations / ".current-head").read_text().strip() == numbered[-1]


# -- licences


def test_the_licence_is_there_and_said_everywhere() -> None:
    assert (ROOT / "LICENSE").read_text().split()[:4] == ["Apache", "License", "Version", "2.0,"]
    for path in ("pyproject.toml", *(f"{folder}/pyproject.toml" for folder in members())):
        assert toml(path)["project"].get("license") == "Apache-2.0", path


FREE = {
    "0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "MIT-CMU", "PSF-2.0", "Unlicense", "Zlib",
    "MPL-2.0",  # copyleft of its own files alone, which we do not change
}  # fmt: skip
# Installed unchanged from its own wheel and replaceable there, which is what the LGPL asks of who uses a library.
LESSER_COPYLEFT = {
    "python-stdnum": "checks identifiers; a pure library behind gov_rules.identifiers",
    "psycopg": "development only: the trial of drivers",
    "psycopg-binary": "development only: the trial of drivers",
}
# What packages without an SPDX expression write instead.
SPDX_OF = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache": "Apache-2.0",
    "Apache 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD 2-Clause License": "BSD-2-Clause",
    "BSD License": "BSD-3-Clause",
    "GNU Lesser General Public License v2 or later (LGPLv2+)": "LGPL-2.1-or-later",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}


def licence_of(package: str) -> str:
    """An SPDX expression, from the best that the package says about itself."""
    told = metadata.metadata(package)
    if "License-Expression" in told:
        return str(told["License-Expression"])
    classifiers = [
        one.rsplit(" :: ", 1)[-1] for one in told.get_all("Classifier") or () if one.startswith("License")
    ]
    named = [SPDX_OF[one] for one in classifiers if one in SPDX_OF]
    plain = str(told["License"]) if "License" in told else ""
    return " OR ".join(named) or SPDX_OF.get(plain, plain)


def is_free(expression: str) -> bool:
    """``A AND B`` binds to both, ``A OR B`` lets choose. No package of ours uses parentheses."""
    return any(all(one.strip() in FREE for one in side.split(" AND ")) for side in expression.split(" OR "))


def test_licence_expressions_are_read_as_spdx_means_them() -> None:
    assert is_free("MIT OR GPL-3.0-only")
    assert is_free("Apache-2.0 AND MIT")
    assert not is_free("Apache-2.0 AND GPL-2.0-only")
    assert not is_free("LGPL-3.0-only")
    assert not is_free("")


@each_lock
def test_every_locked_package_may_be_used_with_ours(lock: Path) -> None:
    wanted = [Requirement(text) for text in requirements(lock).values()]
    here = [one.name for one in wanted if one.marker is None or one.marker.evaluate()]
    refused = {name: licence_of(name) for name in here if not is_free(licence_of(name))}
    assert set(refused) <= set(LESSER_COPYLEFT), refused
    assert all(licence.startswith("LGPL-") for licence in refused.values()), refused


@pytest.mark.parametrize("deployable", DEPLOYABLES, ids=lambda one: one.name)
def test_no_image_holds_what_is_for_development_only(deployable: Deployable) -> None:
    only_here = {name for name, reason in LESSER_COPYLEFT.items() if reason.startswith("development only")}
    assert only_here & set(requirements(deployable.folder / "requirements.lock")) == set()


# -- nobody's words


TABLES = {
    ".csv",
    ".tsv",
    ".jsonl",
    ".xlsx",
    ".xls",
    ".parquet",
    ".gz",
    ".zip",
    ".sqlite",
    ".db",
    ".pkl",
    ".npz",
}
LARGEST_ELSEWHERE = 32 * 1024
# Facts of the statistical office, needed inside a package.
LARGE_ON_PURPOSE = {"libs/gov/src/gov_rules/data/divisions.csv"}
WORDS_OF_PEOPLE = {
    "content", "message", "message_no", "reply", "replied_at", "user_id", "source_user", "title_from", "submitted_at",
    "留言主题", "留言详情", "留言用户", "答复意见", "comment", "review",
}  # fmt: skip


def columns(name: str) -> set[str]:
    """Of a table that is text: the heads of a CSV file, the keys of JSON lines."""
    content = (ROOT / name).read_bytes()
    text = (gzip.decompress(content) if name.endswith(".gz") else content).decode("utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    if ".jsonl" in name:
        return {key for line in lines for key in json.loads(line)}
    return set(next(csv.reader(lines), []))


def test_what_people_wrote_is_not_in_the_repository() -> None:
    tables = [name for name in tracked() if Path(name).suffix in TABLES]
    assert len(tables) > 5
    for name in tables:
        large = (ROOT / name).stat().st_size > LARGEST_ELSEWHERE
        assert name.startswith("data/") or name in LARGE_ON_PURPOSE or not large, name
        assert Path(name.removesuffix(".gz")).suffix in {".csv", ".jsonl"}, (
            f"{name}: a table that cannot be read here"
        )
        assert columns(name) & WORDS_OF_PEOPLE == set(), name


def test_the_classifier_is_trained_from_files_that_stay_outside() -> None:
    beside = {Path(name).suffix for name in tracked() if name.startswith("services/hotline/training/")}
    assert beside == {".py"}
