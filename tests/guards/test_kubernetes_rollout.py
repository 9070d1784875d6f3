"""What keeps an upgrade whole, tried on the real servers: the wait for migrations, the broker's users, the edge's drain."""

import asyncio
import importlib.util
import os
import re
import signal
import subprocess
import sysconfig
import time
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
import certifi
import httpx
import pytest
import yaml
from nats.aio.client import Client
from nats.errors import TimeoutError as NatsTimeoutError
from nats.js.api import StreamConfig

from lianban_local import ports
from lianban_local.deployables import DEPLOYABLES
from service_common.jobs import cancel_all
from service_common.revisions import carries

if TYPE_CHECKING:
    from lianban_local.testing.databases import TestPostgres

K8S = Path(__file__).resolve().parents[2] / "deploy" / "k8s"
SCRIPTS = Path(sysconfig.get_path("scripts"))


# -- the init container that waits for the migration


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> Any:
    spec = importlib.util.spec_from_file_location("await_migrations", K8S / "image" / "await_migrations.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "_LOOK_AGAIN_SECONDS", 0.05)
    return module


@pytest.fixture
async def migrated_to(postgres: "TestPostgres") -> Callable[[str | None], Any]:
    """Makes a database whose Alembic noted this revision; returns its URL."""

    async def make(revision: str | None) -> str:
        url = postgres.create_database(f"rollout_{revision or 'empty'}")
        connection = await asyncpg.connect(url)
        if revision:
            await connection.execute("CREATE TABLE alembic_version (version_num text NOT NULL)")
            await connection.execute("INSERT INTO alembic_version VALUES ($1)", revision)
        await connection.close()
        return url

    return make


@pytest.mark.parametrize("revision", [None, "0001"])
async def test_new_code_waits_while_its_migration_has_not_run(
    waiting: Any, migrated_to: Callable[[str | None], Any], revision: str | None
) -> None:
    url = await migrated_to(revision)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.6):
            await waiting.wait(url, "0002")


async def test_new_code_starts_as_soon_as_its_migration_is_through(
    waiting: Any, migrated_to: Callable[[str | None], Any]
) -> None:
    url = await migrated_to("0008")
    start = asyncio.create_task(waiting.wait(url, "0009"))
    await asyncio.sleep(0.3)
    assert not start.done()
    connection = await asyncpg.connect(url)
    await connection.execute("UPDATE alembic_version SET version_num = '0009'")
    await connection.close()
    async with asyncio.timeout(60):
        await start


async def test_the_release_before_starts_on_the_schema_of_the_next(
    waiting: Any, migrated_to: Callable[[str | None], Any]
) -> None:
    async with asyncio.timeout(60):
        await waiting.wait(await migrated_to("0012"), "0011")


async def test_a_database_that_is_away_is_waited_for(
    waiting: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    said = await _said_while_waiting(
        waiting.wait(f"postgresql://nobody:secret@127.0.0.1:{ports.choose()}/none", "0001"), capsys
    )
    assert "does not answer" in said
    assert "secret" not in said


async def test_a_server_that_cannot_prove_who_it_is_is_waited_for(
    waiting: Any,
    migrated_to: Callable[[str | None], Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    url = await migrated_to("0003")
    await waiting.wait(url, "0003")
    monkeypatch.setenv("DATABASE_CA_FILE", certifi.where())
    capsys.readouterr()
    assert "does not answer" in await _said_while_waiting(waiting.wait(url, "0003"), capsys)


async def _said_while_waiting(wait: Coroutine[Any, Any, None], capsys: pytest.CaptureFixture[str]) -> str:
    """The first words of a wait that has no end."""
    start = asyncio.create_task(wait)
    async with asyncio.timeout(60):
        while not (said := capsys.readouterr().out):
            await asyncio.sleep(0.02)
    assert not start.done()
    await cancel_all({start})
    return said


@pytest.mark.parametrize("found", [None, "", "0008", "0009", "0010", "10", "00010", "head"])
def test_a_pod_that_starts_becomes_ready_by_the_same_rule(waiting: Any, found: str | None) -> None:
    assert waiting.is_enough(found, "0009") is carries(found, "0009")


@pytest.mark.parametrize("deployable", DEPLOYABLES, ids=lambda deployable: deployable.name)
def test_revisions_are_numbers_so_that_later_can_be_told_from_earlier(deployable: Any) -> None:
    head = (deployable.migrations / ".current-head").read_text().strip()
    revisions = [file.name.partition("_")[0] for file in (deployable.migrations / "versions").glob("*.py")]
    assert all(re.fullmatch(r"\d{4}", revision) for revision in revisions)
    assert head == max(revisions)


# -- the broker's users

PASSWORDS = {
    f"{name.upper()}_PASSWORD": f"p{name}7" for name in ("route", *(one.name for one in DEPLOYABLES))
}


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A server with the committed nats.conf: only its places and ports are those of this machine."""
    folder, port = tmp_path_factory.mktemp("broker"), ports.choose()
    config = (K8S / "components" / "nats" / "nats.conf").read_text()
    for theirs, ours in (
        ("0.0.0.0:4222", f"127.0.0.1:{port}"),
        ("http: 0.0.0.0:8222\n", ""),
        ("/data", str(folder / "data")),
        ("/tmp/nats.pid", str(folder / "pid")),
        ("18GB", "100MB"),
    ):
        assert theirs in config
        config = config.replace(theirs, ours)
    (folder / "nats.conf").write_text(config)
    (folder / "cluster.conf").write_text((K8S / "components" / "nats" / "cluster.conf").read_text())
    environment = {**os.environ, **PASSWORDS, "POD_NAME": "nats-0"}
    command = [str(SCRIPTS / "nats-server"), "--config", str(folder / "nats.conf")]
    server = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    yield port
    server.send_signal(signal.SIGTERM)
    server.wait(60)


async def connected(port: int, user: str) -> Client:
    client = Client()
    url = f"nats://{user}:{PASSWORDS[f'{user.upper()}_PASSWORD']}@127.0.0.1:{port}"

    async def ignore(_error: Exception) -> None:
        """Refusals arrive here too; the tests look at what came of them."""

    await client.connect(url, max_reconnect_attempts=60, reconnect_time_wait=1, error_cb=ignore)
    return client


@pytest.mark.parametrize("user", [one.name for one in DEPLOYABLES])
async def test_a_service_speaks_for_itself_alone(broker: int, user: str) -> None:
    client = await connected(broker, user)
    jetstream = client.jetstream()
    for stream in ("identity", "acceptance"):
        await jetstream.add_stream(
            StreamConfig(name=stream.upper(), subjects=[f"gov.{stream}.>"], max_bytes=1_000_000)
        )
    for stream in ("identity", "acceptance"):
        if stream == user:
            assert (
                await jetstream.publish(f"gov.{stream}.thing.happened.v1", b"{}")
            ).stream == stream.upper()
        else:
            with pytest.raises(NatsTimeoutError):
                await jetstream.publish(f"gov.{stream}.thing.happened.v1", b"{}", timeout=0.3)
    await client.close()


async def test_a_service_hears_the_others_but_cannot_delete_what_they_said(broker: int) -> None:
    producer, consumer = await connected(broker, "identity"), await connected(broker, "hotline")
    stream = StreamConfig(name="IDENTITY", subjects=["gov.identity.>"], max_bytes=1_000_000)
    await producer.jetstream().add_stream(stream)
    await producer.jetstream().publish("gov.identity.person.registered.v1", b"{}")
    pull = await consumer.jetstream().pull_subscribe("gov.identity.>", durable="hotline", stream="IDENTITY")
    [message, *_] = await pull.fetch(1, timeout=60)
    await message.ack_sync()
    with pytest.raises(NatsTimeoutError):
        await consumer.jetstream(timeout=0.3).delete_stream("IDENTITY")
    with pytest.raises(NatsTimeoutError):
        await consumer.jetstream(timeout=0.3).purge_stream("IDENTITY")
    assert (await producer.jetstream().stream_info("IDENTITY")).state.messages > 0
    await producer.close()
    await consumer.close()


def test_three_servers_find_each_other_by_the_committed_configuration(tmp_path: Path) -> None:
    for name in ("nats/nats.conf", "nats-cluster/cluster.conf"):
        file = K8S / "components" / name
        (tmp_path / file.name).write_text(file.read_text().replace("/data", str(tmp_path / "data")))
    routes = {f"ROUTE_{number}": f"nats://route:pw@nats-{number}.nats-peers:6222" for number in range(3)}
    done = subprocess.run(
        [str(SCRIPTS / "nats-server"), "--config", str(tmp_path / "nats.conf"), "-t"],
        env={**os.environ, **PASSWORDS, **routes, "POD_NAME": "nats-0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


# -- the edge


@pytest.mark.parametrize("overlay", ["dev", "prod"])
def test_envoy_accepts_what_is_committed(overlay: str) -> None:
    file = K8S / "overlays" / overlay / "edge" / "envoy.yaml"
    done = subprocess.run(
        [str(SCRIPTS / "envoy"), "--mode", "validate", "--config-path", str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_a_stopping_edge_serves_on_and_asks_its_clients_to_leave(tmp_path: Path) -> None:
    deployment, *_ = yaml.safe_load_all((K8S / "base" / "edge" / "edge.yaml").read_text())
    [container] = deployment["spec"]["template"]["spec"]["containers"]
    admin, origin, status = ports.choose(), ports.choose(), ports.choose()
    config = (K8S / "overlays" / "dev" / "edge" / "envoy.yaml").read_text()
    for theirs, ours in ((9901, admin), (9902, status)):
        config = config.replace(f"port_value: {theirs}", f"port_value: {ours}")
    config = config.replace(
        "address: 0.0.0.0\n        port_value: 8080", f"address: 127.0.0.1\n        port_value: {origin}"
    )
    (tmp_path / "envoy.yaml").write_text(config)
    arguments = [
        {"/etc/envoy/envoy.yaml": str(tmp_path / "envoy.yaml"), "20": "1"}.get(one, one)
        for one in container["args"]
    ]
    stop = container["lifecycle"]["preStop"]["exec"]["command"]
    stop = [one.replace("9901", str(admin)).replace("sleep 65", "true") for one in stop]
    envoy = subprocess.Popen([str(SCRIPTS / "envoy"), *arguments], stderr=subprocess.DEVNULL)
    try:
        address = f"http://127.0.0.1:{origin}/identity/jwks"
        before = _first_answer(address)
        assert subprocess.run(stop, capture_output=True, text=True, check=True, timeout=60).stdout.count("OK")
        time.sleep(1.2)
        after = httpx.get(address, timeout=60)
    finally:
        envoy.terminate()
        envoy.wait(60)
    assert "connection" not in before.headers
    assert after.status_code == before.status_code
    assert after.headers["connection"] == "close"


def _first_answer(address: str) -> httpx.Response:
    deadline = time.monotonic() + 60
    while True:
        try:
            return httpx.get(address, timeout=60)
        except httpx.TransportError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
