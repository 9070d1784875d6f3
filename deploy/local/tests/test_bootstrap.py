"""A clean clone becomes a working environment with Python and make alone."""

import os
import subprocess
from pathlib import Path

import pytest

from lianban_local.deployables import ROOT


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(tmp_path / "clone")], check=True)
    return tmp_path / "clone"


def _make(clone: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    command = ["make", "--no-print-directory", "environment"]
    return subprocess.run(
        command, cwd=clone, env=environment, check=True, capture_output=True, text=True
    ).stdout


@pytest.mark.long
@pytest.mark.timeout(900)
def test_the_environment_is_made_once_and_moves_with_its_folder(clone: Path) -> None:
    assert "Creating .venv" in _make(clone)
    where = [".venv/bin/python", "-c", "import lianban_local; print(lianban_local.__file__)"]
    found = subprocess.run(where, cwd=clone, check=True, capture_output=True, text=True).stdout
    assert Path(found.strip()).is_relative_to(clone)
    assert _make(clone) == ""

    moved = clone.rename(clone.with_name("moved"))
    assert "Creating .venv" in _make(moved)


def test_the_bootstrap_names_no_package_index() -> None:
    for file in (ROOT / "scripts/bootstrap.sh", ROOT / "Makefile", ROOT / "requirements.lock"):
        assert "://" not in file.read_text()
