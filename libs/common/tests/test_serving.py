"""How answers leave a process."""

import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import uvicorn


async def _answer(scope: Any, _receive: Any, send: Any) -> None:
    assert scope["type"] == "http"
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
    await send({"type": "http.response.body", "body": b"hello"})


@pytest.fixture
def address() -> Iterator[tuple[str, int]]:
    """A server as every service runs it."""
    server = uvicorn.Server(uvicorn.Config(_answer, port=0, lifespan="off", log_config=None))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()
    server.should_exit = True
    thread.join()


def test_an_answer_leaves_in_one_piece(address: tuple[str, int]) -> None:
    """Two would be two system calls and two packets for each answer, a tenth of what a short request costs."""
    with socket.create_connection(address) as client:
        for _ in range(3):
            client.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
            assert client.recv(4096).endswith(b"hello")
