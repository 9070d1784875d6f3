"""Packages of npm that a test folder has pinned in its ``package-lock.json``, installed once and kept between runs."""

import contextlib
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

_INSTALLED = Path(__file__).parents[3] / ".lianban" / "node"
_OLDEST_NODE = 18


def installed_packages(of: Path) -> Path:
    """The folder with ``node_modules``. Without Node the test is skipped; with ``CI=true`` that is a failure."""
    need_tool(_what_node_lacks(), f"{of.name} was not tried")
    lock = of / "package-lock.json"
    folder = _INSTALLED / hashlib.sha256(lock.read_bytes()).hexdigest()[:16]
    if not folder.exists():
        _INSTALLED.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=_INSTALLED) as fresh:
            for file in (lock, of / "package.json"):
                shutil.copy(file, fresh)
            install = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
            subprocess.run(install, cwd=fresh, check=True, timeout=250)
            # Another worker may have been quicker.
            with contextlib.suppress(OSError):
                shutil.copytree(fresh, f"{fresh}.whole")
                Path(f"{fresh}.whole").rename(folder)
    return folder


def need_tool(missing: str | None, left_out: str) -> None:
    """Skips visibly what cannot run on this machine; on CI everything runs."""
    if missing and os.environ.get("CI") == "true":
        pytest.fail(f"{missing}; CI runs these tests")
    if missing:
        pytest.skip(f"{missing}: {left_out}")


def _what_node_lacks() -> str | None:
    if shutil.which("node") is None or shutil.which("npm") is None:
        return "Node with npm is not installed"
    version = subprocess.run(["node", "--version"], capture_output=True, text=True, check=True).stdout
    if int(version.strip().lstrip("v").split(".")[0]) < _OLDEST_NODE:
        return f"Node {version.strip()} is too old"
    return None
