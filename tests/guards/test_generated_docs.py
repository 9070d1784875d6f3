"""What is written from the code is what would be written now, and no variable is read that no page names."""

import importlib
import re
import subprocess
import sys

import pytest

from lianban_local.deployables import DEPLOYABLES, ROOT, Deployable
from service_common.settings import ServiceSettings

PAGE = ROOT / "docs" / "settings.md"
# As code reads the environment outside of the settings classes.
READ = re.compile(r"""(?:environ(?:\.get\(|\[)|getenv\(|envvar=)\s*["']([A-Z_]+)["']""")
# pytest-xdist's own; and the mark by which the local platform finds its processes again.
NO_SETTINGS = {"PYTEST_XDIST_WORKER", "LIANBAN_STATE"}


@pytest.mark.parametrize("script", ["render_events", "render_settings"])
def test_the_page_is_fresh(script: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", f"scripts.{script}", "--check"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, f"python -m scripts.{script}\n{done.stdout[-3000:]}{done.stderr[-3000:]}"


@pytest.mark.parametrize("deployable", DEPLOYABLES, ids=lambda one: one.name)
def test_every_setting_is_described_and_on_the_page(deployable: Deployable) -> None:
    settings: type[ServiceSettings] = importlib.import_module(f"{deployable.module}.settings").Settings
    assert settings.model_config["env_prefix"] == deployable.prefix
    page = PAGE.read_text(encoding="utf-8")
    for name, field in settings.model_fields.items():
        prefix = "" if name in ServiceSettings.model_fields else deployable.prefix
        assert field.description, name
        assert f"`{prefix}{name.upper()}` |" in page


def test_no_variable_is_read_in_secret() -> None:
    page = PAGE.read_text(encoding="utf-8")
    files = [*ROOT.glob("*/**/src/**/*.py"), *ROOT.glob("deploy/k8s/**/*.py"), *ROOT.glob("scripts/**/*.py")]
    read = {name for file in files for name in READ.findall(file.read_text(encoding="utf-8"))}
    assert {"LIANBAN_POSTGRES_ADMIN_URL", "ADMINISTRATOR_PASSWORD", "DATABASE_URL"} <= read
    assert {name for name in read - NO_SETTINGS if f"`{name}`" not in page} == set()
