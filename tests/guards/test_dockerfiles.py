"""The images, as far as they can be proven without Docker: what the files say, and the same steps taken in a folder.

In the shared environment every service can import every dependency, declared or not. Here each gets its own part of the
lock alone, and the files that its Dockerfile copies alone.
"""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from lianban_local.deployables import DEPLOYABLES, Deployable

ROOT = Path(__file__).resolve().parents[2]
KEY = base64.b64encode(b"k" * 32).decode()

each_service = pytest.mark.parametrize("deployable", DEPLOYABLES, ids=lambda deployable: deployable.name)


@dataclass(frozen=True)
class Instruction:
    name: str
    value: str


def instructions(deployable: Deployable) -> list[Instruction]:
    """Instructions of a Dockerfile in their order: comments dropped, continued lines joined."""
    lines = (deployable.folder / "Dockerfile").read_text().splitlines()
    text = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
    joined = re.sub(r"\\\n\s*", "", text)
    pairs = (line.split(maxsplit=1) for line in joined.splitlines() if line.strip())
    return [Instruction(name.upper(), value) for name, value in pairs]


def values(deployable: Deployable, name: str) -> list[str]:
    return [one.value for one in instructions(deployable) if one.name == name]


def copied(deployable: Deployable) -> list[tuple[str, str]]:
    """What comes from the repository, and where to."""
    pairs = [tuple(value.split()) for value in values(deployable, "COPY") if not value.startswith("--from=")]
    assert all(len(pair) == 2 for pair in pairs)
    return [(pair[0], pair[1]) for pair in pairs]


def folder_of(deployable: Deployable) -> str:
    return deployable.folder.relative_to(ROOT).as_posix()


# -- what the files say


@each_service
def test_the_base_is_pinned_and_can_be_pinned_by_digest(deployable: Deployable) -> None:
    arguments = dict(value.split("=", 1) for value in values(deployable, "ARG") if "=" in value)
    assert re.fullmatch(r"3\.11\.\d+-slim-\w+", arguments["PYTHON_TAG"])
    for base in values(deployable, "FROM"):
        assert base.split(" AS ")[0] == "docker.io/library/python:${PYTHON_TAG}${PYTHON_DIGEST}"


@each_service
def test_the_process_is_nobody_in_particular_and_owns_nothing(deployable: Deployable) -> None:
    last = max(place for place, one in enumerate(instructions(deployable)) if one.name == "FROM")
    final = instructions(deployable)[last:]
    assert [one.value for one in final if one.name == "USER"] == ["10001:10001"]
    assert not [one for one in final if "--chown" in one.value or one.name in {"ADD", "RUN", "VOLUME"}]


@each_service
def test_only_its_own_part_of_the_lock_is_installed_with_hashes(deployable: Deployable) -> None:
    locks = [source for source, _ in copied(deployable) if source.endswith(".lock")]
    assert locks == [f"{folder_of(deployable)}/requirements.lock"]
    for run in values(deployable, "RUN"):
        for command in re.findall(r"pip .*?(?: install| wheel)(.*?)(?= && |$)", run):
            assert "--require-hashes" in command or "--no-index" in command, command
            assert "--no-deps" in command, command
        assert "apt" not in run


@each_service
def test_nothing_of_another_service_is_copied(deployable: Deployable) -> None:
    own = folder_of(deployable)
    allowed = (f"{own}/", "libs/common/src", "libs/gov/src", "deploy/k8s/image/", "LICENSE")
    for source, _ in copied(deployable):
        assert (ROOT / source).exists(), source
        assert source.startswith(allowed), source


@each_service
def test_the_builder_is_sent_what_is_copied_and_no_more(deployable: Deployable) -> None:
    ignored = (deployable.folder / "Dockerfile.dockerignore").read_text().splitlines()
    rules = [line for line in ignored if line and not line.startswith("#")]
    assert rules[0] == "*"
    assert {rule[1:] for rule in rules if rule.startswith("!")} == {
        source for source, _ in copied(deployable)
    }


@each_service
def test_it_starts_the_service_and_kubernetes_alone_probes_it(deployable: Deployable) -> None:
    assert values(deployable, "ENTRYPOINT") == [f'["python", "-m", "{deployable.module}"]']
    assert values(deployable, "HEALTHCHECK") == ["NONE"]


# -- the same steps, in a folder


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all images, one after the other.

    Bytecode belongs to a path: what one image has compiled, the next need not compile again (a minute of CPU for six).
    """
    return tmp_path_factory.mktemp("images")


@pytest.fixture
def image(deployable: Deployable, place: Path) -> Path:
    """A folder with ``venv`` and ``app`` as the Dockerfile makes them."""
    for part in ("venv", "app"):
        shutil.rmtree(place / part, ignore_errors=True)
    virtual = place / "venv"
    _uv("venv", "--python", sys.executable, virtual)
    _uv("pip", "sync", "--python", virtual, "--require-hashes", deployable.folder / "requirements.lock")
    for source, target in copied(deployable):
        if target.startswith("/app/"):
            _copy(ROOT / source, place / target.lstrip("/"))
    folder = folder_of(deployable)
    [path_file] = [run for run in values(deployable, "RUN") if "lianban.pth" in run]
    sources = re.findall(r"(/app/\S+/src)", path_file)
    site = virtual / "lib" / "python3.11" / "site-packages"
    (site / "lianban.pth").write_text("".join(f"{place / source.lstrip('/')}\n" for source in sources))
    assert f"ln -s {folder}/migrations /app/migrations" in path_file
    (place / "app" / "migrations").symlink_to(f"{folder}/migrations")
    return place


def _uv(*arguments: str | Path) -> None:
    uv = Path(sys.executable).with_name("uv")
    subprocess.run([uv, "--quiet", *arguments], check=True, timeout=250)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy2(source, target)


@pytest.mark.xdist_group("images")
@each_service
def test_an_image_has_what_its_service_imports(deployable: Deployable, image: Path, tmp_path: Path) -> None:
    peers = {f"{one.name}_URL".upper(): "http://127.0.0.1:1" for one in DEPLOYABLES} | {
        "AUTHORITY_URL": "http://127.0.0.1:1"
    }
    told = {
        "DATABASE_URL": "postgresql://nobody:nothing@127.0.0.1:1/none",
        "NATS_URL": "nats://127.0.0.1:1",
        "ISSUER": "http://localhost/identity",
        "DATA_KEYS": f"1:{KEY}",
        "INDEX_KEY": KEY,
        "FILES_FOLDER": str(tmp_path),
        **peers,
    }
    environment = {f"{deployable.prefix}{name}": value for name, value in told.items()}

    done = subprocess.run(
        [image / "venv" / "bin" / "python", "-c", _EVERYTHING, deployable.module, json.dumps(environment)],
        cwd=image / "app",
        env={"PATH": os.defpath, "PYTHONPYCACHEPREFIX": str(image / "bytecode")},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    said = json.loads(done.stdout)
    assert "migrate" in said["help"]
    assert any(path.startswith(f"/{deployable.name}/v1") for path in said["paths"])
    assert said["head"] == (deployable.migrations / ".current-head").read_text().strip()
    assert said["head"] == (image / "app" / "migrations" / ".current-head").read_text().strip()


# The entry point, which must tell how it is used before it is told anything; every module, those too that only the worker
# or a command reaches; the whole application with the files that it reads; the migrations where the code looks for them.
# One process, because importing is what takes long.
_EVERYTHING = """
import contextlib, importlib, io, json, os, pkgutil, runpy, sys
module, environment = sys.argv[1:]
sys.argv[1:] = ["--help"]
with contextlib.redirect_stdout(io.StringIO()) as told:
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        assert not end.code, end.code
os.environ |= json.loads(environment)
top = importlib.import_module(module)
for one in pkgutil.walk_packages(top.__path__, top.__name__ + "."):
    if not one.name.endswith("__main__"):
        importlib.import_module(one.name)
from service_common.app import create_app
service = importlib.import_module(top.__name__ + ".app").define_service()
paths = list(create_app(service, worker=True).openapi()["paths"])
head = service.migrations.joinpath(".current-head").read_text().strip()
print(json.dumps({"help": told.getvalue(), "paths": paths, "head": head}))
"""
