"""The embedded broker keeps what it confirmed, and asks for the password."""

from collections.abc import AsyncIterator
from pathlib import Path

import nats
import pytest
from nats.errors import Error, NoServersError

from lianban_local import ports
from lianban_local.servers.nats import NatsServer


@pytest.fixture
async def server(tmp_path: Path) -> AsyncIterator[NatsServer]:
    server = NatsServer(tmp_path, port=ports.choose(), password="a-password-for-this-test")
    server.start()
    server.wait_ready()
    yield server
    server.stop()


async def test_confirmed_messages_survive_sigkill(server: NatsServer) -> None:
    client = await nats.connect(server.url)
    await client.jetstream().add_stream(name="KEPT", subjects=["kept.>"])
    for number in range(20):
        await client.jetstream().publish("kept.one", str(number).encode())
    await client.close()

    server.kill()
    server.start()
    server.wait_ready()

    client = await nats.connect(server.url)
    info = await client.jetstream().stream_info("KEPT")
    assert info.state.messages == 20
    await client.close()


async def test_a_wrong_password_is_refused(server: NatsServer) -> None:
    reported: list[Exception] = []

    async def keep(error: Exception) -> None:
        reported.append(error)

    with pytest.raises((NoServersError, Error)):
        await nats.connect(
            server.url.replace("a-password", "another"),
            allow_reconnect=False,
            max_reconnect_attempts=0,
            error_cb=keep,
        )


async def test_the_streams_of_all_services_fit(server: NatsServer) -> None:
    client = await nats.connect(server.url)
    for name in ("ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX"):
        await client.jetstream().add_stream(name=name, subjects=[f"{name}.>"], max_bytes=2 * 1024**3)
    assert len(await client.jetstream().streams_info()) == 6
    await client.close()
