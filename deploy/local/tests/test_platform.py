"""The whole of it with one tiny service: start, second start, deaths, ends."""

import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from lianban_local import leftovers
from lianban_local.testing.brokers import TestNats
from lianban_local.testing.databases import TestPostgres
from lianban_local.testing.stack import RunningPlatform, running_platform, start_platform

TINY = [sys.executable, str(Path(__file__).with_name("tiny_platform.py"))]
EXPECTED = {"postgres", "nats", "tiny", "authority", "envoy"}


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for the tests that start a platform themselves, so most are second starts."""
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPlatform]:
    """One life for all tests that only look on, or kill parts of it that come back."""
    with running_platform(tmp_path_factory.mktemp("shared"), TINY) as running:
        yield running


def _cli(command: str, state: Path) -> str:
    arguments = [sys.executable, "-m", "lianban_local", command, "--state", str(state)]
    return subprocess.run(arguments, check=True, capture_output=True, text=True).stdout


def _health(platform: RunningPlatform) -> httpx.Response:
    """What the edge answers; a busy machine may need its time."""
    return httpx.get(f"{platform.run.base_url}/health/ready", timeout=60)


def _wait_nothing_left(platform: RunningPlatform, seconds: float = 60) -> None:
    give_up = time.monotonic() + seconds
    while platform.left() and time.monotonic() < give_up:
        time.sleep(0.05)
    assert platform.left() == []


def test_everything_is_up_and_the_edge_answers(platform: RunningPlatform) -> None:
    assert set(platform.processes()) == EXPECTED
    assert _health(platform).json() == {"status": "ready"}
    assert platform.run.issuer == f"{platform.run.base_url}/identity"


def test_identity_can_read_everybodys_scopes(platform: RunningPlatform) -> None:
    (scope,) = json.loads((platform.state / "scopes.json").read_text())
    assert scope["name"] == "tiny:rows.read"


def test_a_second_start_runs_no_errand_and_keeps_its_ports(state: Path) -> None:
    with running_platform(state, TINY) as first:
        origin = first.run.base_url
    errands = [state / "logs" / f"tiny-{errand}.log" for errand in ("migrate", "openapi")]
    for log in errands:
        log.unlink()
    with running_platform(state, TINY) as second:
        assert second.run.base_url == origin
    assert not any(log.exists() for log in errands)


def test_a_stranger_on_a_saved_port_makes_us_move(state: Path) -> None:
    with running_platform(state, TINY) as first:
        port = first.port("envoy")
    with socket.socket() as stranger:
        stranger.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        stranger.bind(("127.0.0.1", port))
        stranger.listen()
        with running_platform(state, TINY) as second:
            assert second.port("envoy") != port
            assert _health(second).status_code == 200


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_what_is_killed_comes_back_and_this_is_said(platform: RunningPlatform, name: str) -> None:
    before = platform.processes()[name]
    platform.kill(name)
    platform.wait_back(name, restarts=1)
    assert platform.processes()[name] != before
    assert f"{name} died (SIGKILL)" in platform.said
    assert f"{name} is back" in platform.said
    _health(platform).raise_for_status()


def test_the_delay_grows_with_each_death(state: Path) -> None:
    with running_platform(state, TINY) as platform:
        for restarts in (1, 2, 3):
            platform.kill("authority")
            platform.wait_back("authority", restarts=restarts)
        said = platform.said.rpartition("stopped")[2]  # of this life alone
    assert [line.split()[-2] for line in said.splitlines() if "authority died" in line] == [
        "0.1",
        "0.2",
        "0.4",
    ]


def test_a_stop_leaves_no_process(state: Path) -> None:
    platform = start_platform(state, TINY)
    pids = [platform.supervisor.pid, *platform.processes().values()]
    assert platform.stop() == 0
    assert platform.left() == []
    assert not any(leftovers.runs(psutil.Process(pid)) for pid in pids if psutil.pid_exists(pid))
    assert not (state / "supervisor.pid").exists()


def test_the_death_of_the_supervisor_leaves_no_process(state: Path) -> None:
    platform = start_platform(state, TINY)
    assert len(platform.left()) > len(EXPECTED)  # PostgreSQL's own children are seen too
    platform.supervisor.kill()
    platform.supervisor.wait()
    _wait_nothing_left(platform)


def test_after_the_death_of_the_supervisor_the_next_start_is_a_normal_one(state: Path) -> None:
    platform = start_platform(state, TINY)
    platform.supervisor.kill()
    with running_platform(state, TINY) as again:
        assert _health(again).status_code == 200


def test_two_platforms_do_not_share_a_folder(platform: RunningPlatform) -> None:
    with pytest.raises(RuntimeError, match="exit code 3"):
        start_platform(platform.state, TINY)
    assert platform.supervisor.poll() is None
    _health(platform).raise_for_status()


def test_a_service_that_never_comes_up_is_named_with_its_log_and_nothing_stays(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="No module named no_such_module"):
        start_platform(tmp_path, [*TINY, "--broken"])
    assert leftovers.find(tmp_path) == []


def test_another_terminal_can_stop_it_and_forget_it(tmp_path: Path) -> None:
    state = tmp_path / "state"
    platform = start_platform(state, TINY)
    assert "stopped" in _cli("stop", state)
    assert platform.supervisor.wait(60) == 0
    assert platform.left() == []
    assert "not running" in _cli("stop", state)
    _cli("clean", state)
    assert not state.exists()
    assert "nothing was ever started" in _cli("stop", state)


def test_demo_data_is_loaded_once_and_again_into_a_new_database(tmp_path: Path) -> None:
    seeded = [*TINY, "--seeded"]
    with running_platform(tmp_path, seeded) as first:
        assert [account.username for account in first.run.accounts] == ["wang"]
    with running_platform(tmp_path, seeded) as second:
        assert second.run.accounts == first.run.accounts
    assert (tmp_path / "seeded.times").read_text() == "x"
    shutil.rmtree(tmp_path / "postgres")
    with running_platform(tmp_path, seeded):
        assert (tmp_path / "seeded.times").read_text() == "xx"


def test_servers_of_ones_own_replace_the_embedded_ones(
    tmp_path: Path, postgres: TestPostgres, nats_server: TestNats
) -> None:
    own = {"LIANBAN_POSTGRES_ADMIN_URL": postgres.admin_url, "NATS_URL": nats_server.url}
    with running_platform(tmp_path, TINY, own) as platform:
        assert set(platform.processes()) == EXPECTED - {"postgres", "nats"}
        assert _health(platform).status_code == 200


def test_state_with_secrets_is_for_its_owner_alone(platform: RunningPlatform) -> None:
    for name in ("state.json", "run.json", "keys/tiny.jwk", "nats/nats.conf"):
        assert (platform.state / name).stat().st_mode & 0o077 == 0
