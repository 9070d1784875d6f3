"""One try, at a real server."""

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from service_common import callouts as sending
from service_common.callouts import Sender

if TYPE_CHECKING:
    from gateway.tests.conftest import Asked, Reply, StartPeer


async def _ok(_asked: "Asked") -> None:
    return None


async def test_loopback_is_refused_without_the_setting(start_peer: "StartPeer", reply: "type[Reply]") -> None:
    async def answer(_asked: "Asked") -> "Reply":
        return reply(200)

    async with start_peer(answer) as peer, Sender(loopback_allowed=False) as sender:
        for host in ("127.0.0.1", "localhost", "[::ffff:127.0.0.1]"):
            result = await sender.send(f"http://{host}:{peer.port}/hook", {}, b"{}")
            assert (result.status, result.error) == (None, "forbidden address")
        assert peer.asked == []


async def test_a_name_is_checked_when_it_is_connected_to(
    start_peer: "StartPeer", reply: "type[Reply]", monkeypatch: pytest.MonkeyPatch
) -> None:
    """DNS rebinding: the name was public yesterday, and leads inside now."""

    async def answer(_asked: "Asked") -> "Reply":
        return reply(200)

    async with start_peer(answer) as peer, Sender(loopback_allowed=False) as sender:
        loop = asyncio.get_running_loop()

        async def resolve(*_arguments: object, **_more: object) -> object:
            return [(2, 1, 6, "", ("223.5.5.5", peer.port)), (2, 1, 6, "", ("127.0.0.1", peer.port))]

        monkeypatch.setattr(loop, "getaddrinfo", resolve)
        result = await sender.send(f"http://approval.example:{peer.port}/hook", {}, b"{}")
    assert (result.status, result.error) == (None, "forbidden address")
    assert peer.asked == []


async def test_redirects_are_not_followed(start_peer: "StartPeer", reply: "type[Reply]") -> None:
    async def answer(_asked: "Asked") -> "Reply":
        return reply(307, headers={"location": "http://169.254.169.254/latest"})

    async with start_peer(answer) as peer, Sender(loopback_allowed=True) as sender:
        result = await sender.send(f"{peer.url}/hook", {}, b"{}")
    assert result.status == 307
    assert not result.accepted
    assert len(peer.asked) == 1


async def test_a_proxy_of_the_environment_is_not_used(
    start_peer: "StartPeer", reply: "type[Reply]", monkeypatch: pytest.MonkeyPatch
) -> None:
    async def answer(_asked: "Asked") -> "Reply":
        return reply(204, b"")

    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    async with start_peer(answer) as peer, Sender(loopback_allowed=True) as sender:
        assert (await sender.send(f"{peer.url}/hook", {}, b"{}")).accepted


async def test_the_exact_bytes_and_headers_arrive(start_peer: "StartPeer", reply: "type[Reply]") -> None:
    async def answer(_asked: "Asked") -> "Reply":
        return reply(200, headers={"retry-after": "120"})

    body = '{"type":"case.submitted","名":"值"}'.encode()
    async with start_peer(answer) as peer, Sender(loopback_allowed=True) as sender:
        result = await sender.send(f"{peer.url}/hook?tenant=1", {"webhook-id": "msg_1"}, body)
    (asked,) = peer.asked
    assert (asked.method, asked.path, asked.body) == ("POST", "/hook?tenant=1", body)
    assert asked.headers["webhook-id"] == "msg_1"
    assert asked.headers["content-type"] == "application/json"
    assert result.retry_after == timedelta(seconds=120)


@pytest.mark.parametrize(
    "wish",
    [
        "Fri, 31 Dec 9999 23:59:59 -2359",
        "Fri, 31 Dec 2027 23:59:59 +99999999999999999999",
        "9" * 400,
        "soon",
    ],
)
async def test_a_retry_after_that_is_no_moment_is_no_wish(
    start_peer: "StartPeer", reply: "type[Reply]", wish: str
) -> None:
    async def answer(_asked: "Asked") -> "Reply":
        return reply(503, headers={"retry-after": wish})

    async with start_peer(answer) as peer, Sender(loopback_allowed=True) as sender:
        result = await sender.send(f"{peer.url}/hook", {}, b"{}")
    assert (result.status, result.retry_after) == (503, None)


async def test_a_receiver_that_stalls_is_left_after_the_limit(
    start_peer: "StartPeer", monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "TIMEOUT_SECONDS", 0.3)

    never = asyncio.Event()

    async def stall(_asked: "Asked") -> None:
        await never.wait()

    async with start_peer(stall) as peer, Sender(loopback_allowed=True) as sender:
        result = await sender.send(f"{peer.url}/hook", {}, b"{}")
    assert (result.status, result.error) == (None, "timeout")


async def test_an_endless_answer_is_not_read_to_its_end(
    start_peer: "StartPeer", reply: "type[Reply]"
) -> None:
    async def answer(_asked: "Asked") -> "Reply":
        return reply(200, b"x" * 5_000_000)

    async with start_peer(answer) as peer, Sender(loopback_allowed=True) as sender:
        result = await sender.send(f"{peer.url}/hook", {}, b"{}")
    assert result.accepted
    assert len(result.body) <= 16 * 1024


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/hook", "http://nowhere.invalid/hook"])
async def test_who_does_not_answer_is_an_error_with_a_name(url: str) -> None:
    async with Sender(loopback_allowed=True) as sender:
        result = await sender.send(url, {}, b"{}")
    assert result.status is None
    assert result.error


async def test_a_connection_that_is_cut_is_an_error_with_a_name(start_peer: "StartPeer") -> None:
    async with start_peer(_ok) as peer, Sender(loopback_allowed=True) as sender:
        result = await sender.send(f"{peer.url}/hook", {}, b"{}")
    assert result.status is None
    assert len(peer.asked) == 1
