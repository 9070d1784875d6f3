"""Calls to addresses that somebody outside has named. How they behave in all weathers: ``gateway/tests/webhooks``."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest

from service_common.callouts import Sender


@dataclass
class Server:
    """Answers 204 and keeps what it is asked."""

    port: int = 0
    heard: list[str] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(
            int(line.split(":")[1]) for line in head.splitlines() if "content-length" in line.lower()
        )
        self.heard.append(head + (await reader.readexactly(length)).decode())
        writer.write(b"HTTP/1.1 204 No Content\r\nconnection: close\r\n\r\n")
        await writer.drain()
        writer.close()


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    one = Server()
    listening = await asyncio.start_server(one.serve, "127.0.0.1", 0)
    one.port = listening.sockets[0].getsockname()[1]
    async with listening:
        yield one


async def test_a_form_arrives_as_it_was_made(server: Server) -> None:
    kind = "application/x-www-form-urlencoded"
    async with Sender(loopback_allowed=True, content_type=kind, user_agent="Lianban-Tests/1") as sender:
        answer = await sender.send(f"http://127.0.0.1:{server.port}/logout?of=1", {}, b"logout_token=a.b.c")
    assert answer.accepted
    (heard,) = server.heard
    assert heard.startswith("POST /logout?of=1 HTTP/1.1\r\n")
    assert f"content-type: {kind}\r\n" in heard
    assert "user-agent: Lianban-Tests/1\r\n" in heard
    assert heard.endswith("logout_token=a.b.c")


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "169.254.169.254"]
)
async def test_nothing_inside_is_called_unless_this_is_one_machine(server: Server, host: str) -> None:
    async with Sender(loopback_allowed=False) as sender:
        answer = await sender.send(f"http://{host}:{server.port}/", {}, b"")
    assert (answer.status, answer.error) == (None, "forbidden address")
    assert server.heard == []
