"""From an event to the receiver: signed, at least once, tried again, given up."""

import asyncio
import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from fastapi import FastAPI
from standardwebhooks import Webhook

from gateway_service.webhooks.dispatcher import Dispatcher
from gateway_service.webhooks.domain import MOST_TRIES, RETRY_DELAYS, EventType
from service_common import callouts
from service_common.callouts import Answer, Sender
from service_common.db import new_id
from service_common.jobs import cancel_all

if TYPE_CHECKING:
    from gateway.tests.conftest import Asked, Reply, StartPeer
    from gateway.tests.webhooks.conftest import Receiver, Subscribe, Tell


def _now() -> datetime:
    return datetime.now(UTC)


async def _state(partner: httpx.AsyncClient, webhook: dict[str, Any]) -> dict[str, Any]:
    state: dict[str, Any] = (await partner.get(f"/gateway/v1/webhooks/{webhook['id']}")).json()
    return state


async def _deliveries(partner: httpx.AsyncClient, webhook: dict[str, Any]) -> list[dict[str, Any]]:
    answer = await partner.get(f"/gateway/v1/webhooks/{webhook['id']}/deliveries")
    items: list[dict[str, Any]] = answer.json()["items"]
    return [one for one in items if one["event_type"] != "endpoint.verification"]


async def _run_out(dispatcher: Dispatcher, start: datetime, hours: float) -> None:
    """Lets time pass in steps smaller than the shortest delay that matters."""
    now = start
    while now < start + timedelta(hours=hours):
        while await dispatcher.deliver_due(now=now):
            pass
        now += timedelta(minutes=10)


async def test_a_receiver_that_echoes_the_challenge_becomes_active(
    subscribe: "Subscribe", partner: httpx.AsyncClient, receiver: "Receiver"
) -> None:
    webhook = await subscribe()
    assert webhook["status"] == "PENDING"
    assert (await _state(partner, webhook))["status"] == "ACTIVE"
    (verification,) = receiver.peer.asked
    assert verification.json()["type"] == "endpoint.verification"


async def test_a_server_that_says_200_to_everything_is_not_verified(
    subscribe: "Subscribe",
    partner: httpx.AsyncClient,
    receiver: "Receiver",
    tell: "Tell",
    dispatcher: Dispatcher,
) -> None:
    receiver.echoing = False
    webhook = await subscribe()
    assert (await _state(partner, webhook))["status"] == "PENDING"
    await tell(now=_now())
    await dispatcher.deliver_due(now=_now())
    assert receiver.messages == []


async def test_an_echo_nested_deeper_than_python_reads_is_none(
    subscribe: "Subscribe", partner: httpx.AsyncClient, start_peer: "StartPeer", reply: "type[Reply]"
) -> None:
    async def answer(_asked: "Asked") -> "Reply":
        return reply(200, b"[" * 10_000)

    async with start_peer(answer) as peer:
        webhook = await subscribe(url=f"{peer.url}/hook")
    answer_of = await partner.get(f"/gateway/v1/webhooks/{webhook['id']}/deliveries")
    (verification,) = answer_of.json()["items"]
    assert (verification["status"], verification["error"]) == ("PENDING", "challenge not echoed")


class _Breaking(Sender):
    """Fails in a way that nobody has thought of."""

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        raise LookupError(url)


async def test_a_try_that_fails_in_an_unknown_way_stops_no_others(
    app: FastAPI, subscribe: "Subscribe", tell: "Tell", dispatcher: Dispatcher, receiver: "Receiver"
) -> None:
    await subscribe()
    now = _now()
    await tell(now=now)
    async with _Breaking(loopback_allowed=True) as sender:
        breaking = Dispatcher(app.state.database, app.state.key_ring, sender, keep_days=30)
        assert await breaking.deliver_due(now=now) == 1
    assert receiver.messages == []
    await dispatcher.deliver_due(now=now + timedelta(minutes=2))
    assert len(receiver.messages) == 1


async def test_a_message_is_thin_and_signed_both_ways_over_the_bytes_sent(
    subscribe: "Subscribe", receiver: "Receiver", tell: "Tell", dispatcher: Dispatcher
) -> None:
    webhook = await subscribe()
    event_id = await tell(now=_now())
    assert await dispatcher.deliver_due(now=_now()) == 1
    (message,) = receiver.messages
    body = Webhook(webhook["secret"]).verify(message.body, message.headers)
    assert set(body) == {"type", "timestamp", "data"}
    assert body["type"] == "case.submitted"
    assert body["data"] == {
        "id": str(event_id),
        "url": f"http://localhost/acceptance/v1/cases/{event_id}",
    }
    v1, v1a = message.headers["webhook-signature"].split(" ")
    assert v1.startswith("v1,")
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(webhook["public_key"].removeprefix("whpk_")))
    signed = (
        f"{message.headers['webhook-id']}.{message.headers['webhook-timestamp']}.".encode() + message.body
    )
    public.verify(base64.b64decode(v1a.removeprefix("v1a,")), signed)


async def test_only_what_was_asked_for_is_sent(
    subscribe: "Subscribe", receiver: "Receiver", tell: "Tell", dispatcher: Dispatcher
) -> None:
    await subscribe(event_types=("case.finished",))
    await tell(now=_now(), event_type=EventType.CASE_SUBMITTED)
    await tell(now=_now(), event_type=EventType.CASE_FINISHED)
    await dispatcher.deliver_due(now=_now())
    assert [one.json()["type"] for one in receiver.messages] == ["case.finished"]


async def test_an_outage_of_300_seconds_loses_nothing(
    subscribe: "Subscribe",
    partner: httpx.AsyncClient,
    receiver: "Receiver",
    tell: "Tell",
    dispatcher: Dispatcher,
) -> None:
    webhook = await subscribe()
    start = _now()
    told = {str(await tell(now=start + timedelta(seconds=3 * number))) for number in range(100)}
    receiver.status = 503
    for second in range(0, 300, 4):
        await dispatcher.deliver_due(now=start + timedelta(seconds=second))
    failed = len(receiver.messages)
    assert failed >= 100
    receiver.status = 200
    await _run_out(dispatcher, start + timedelta(seconds=300), hours=1)
    arrived = [one.json()["data"]["id"] for one in receiver.messages[failed:]]
    assert set(arrived) == told
    assert len(arrived) == len(told)
    assert {one["status"] for one in await _deliveries(partner, webhook)} == {"DELIVERED"}


async def test_every_try_has_the_same_id_and_is_recorded(
    subscribe: "Subscribe",
    partner: httpx.AsyncClient,
    receiver: "Receiver",
    tell: "Tell",
    dispatcher: Dispatcher,
) -> None:
    webhook = await subscribe()
    receiver.status = 500
    start = _now()
    await tell(now=start)
    await dispatcher.deliver_due(now=start)
    (delivery,) = await _deliveries(partner, webhook)
    assert (delivery["status"], delivery["tries"], delivery["response_code"]) == ("PENDING", 1, 500)
    due = datetime.fromisoformat(delivery["next_try_at"])
    assert timedelta(seconds=4) < due - start < timedelta(seconds=6)
    assert await dispatcher.deliver_due(now=start + timedelta(seconds=1)) == 0
    await dispatcher.deliver_due(now=start + timedelta(seconds=6))
    assert len({one.headers["webhook-id"] for one in receiver.messages}) == 1
    assert delivery["message_id"] == receiver.messages[0].headers["webhook-id"]


async def test_retry_after_postpones_the_next_try(
    subscribe: "Subscribe",
    partner: httpx.AsyncClient,
    receiver: "Receiver",
    tell: "Tell",
    dispatcher: Dispatcher,
) -> None:
    webhook = await subscribe()
    receiver.status, receiver.headers = 429, {"retry-after": "600"}
    start = _now()
    await tell(now=start)
    await dispatcher.deliver_due(now=start)
    (delivery,) = await _deliveries(partner, webhook)
    assert datetime.fromisoformat(delivery["next_try_at"]) == start + timedelta(seconds=600)


async def test_410_disables_and_stops_everything(
    subscribe: "Subscribe",
    partner: httpx.AsyncClient,
    receiver: "Receiver",
    tell: "Tell",
    dispatcher: Dispatcher,
) -> None:
    webhook = await subscribe()
    receiver.status = 410
    start = _now()
    await tell(now=start)
    await dispatcher.deliver_due(now=start)
    await tell(now=start)
    await _run_out(dispatcher, start, hours=1)
    state = await _state(partner, webhook)
    assert (state["status"], state["disabled_reason"]) == ("DISABLED", "GONE")
    assert len(receiver.messages) == 1


async def test_after_ten_tries_a_receiver_that_took_nothing_is_given_up(
    subscribe: "Subscribe",
    partner: httpx.AsyncClient,
    receiver: "Receiver",
    tell: "Tell",
    dispatcher: Dispatcher,
) -> None:
    webhook = await subscribe()
    receiver.status = 500
    start = _now() + timedelta(seconds=1)
    await tell(now=start)
    # Jitter lengthens the delays by a tenth at most, the steps of _run_out by ten minutes a try.
    longest = 1.1 * sum(RETRY_DELAYS, timedelta()) + MOST_TRIES * timedelta(minutes=10)
    await _run_out(dispatcher, start, hours=longest / timedelta(hours=1))
    assert len(receiver.messages) == 10
    (delivery,) = await _deliveries(partner, webhook)
    assert (delivery["status"], delivery["tries"]) == ("FAILED", 10)
    state = await _state(partner, webhook)
    assert (state["status"], state["disabled_reason"]) == ("DISABLED", "UNREACHABLE")


async def test_a_disabled_receiver_comes_back_by_verification_and_catches_up_by_replay(
    subscribe: "Subscribe",
    partner: httpx.AsyncClient,
    receiver: "Receiver",
    tell: "Tell",
    dispatcher: Dispatcher,
) -> None:
    webhook = await subscribe()
    receiver.status = 410
    start = _now()
    first = await tell(now=start)
    await dispatcher.deliver_due(now=start)
    missed = await tell(now=start)
    receiver.status = 200
    url = f"/gateway/v1/webhooks/{webhook['id']}"
    await partner.post(f"{url}/verify", headers={"Idempotency-Key": "v"})
    await dispatcher.deliver_due(now=_now())
    answer = await partner.post(
        f"{url}/replay", json={"since": start.isoformat()}, headers={"Idempotency-Key": "r"}
    )
    assert answer.json() == {"messages": 2}
    before = len(receiver.messages)
    await dispatcher.deliver_due(now=_now())
    assert {one.json()["data"]["id"] for one in receiver.messages[before:]} == {str(first), str(missed)}


async def test_replay_sends_from_a_point_in_time_with_the_same_ids(
    subscribe: "Subscribe",
    partner: httpx.AsyncClient,
    receiver: "Receiver",
    tell: "Tell",
    dispatcher: Dispatcher,
) -> None:
    webhook = await subscribe()
    start = _now()
    await tell(now=start - timedelta(hours=2))
    await tell(now=start - timedelta(hours=1))
    await dispatcher.deliver_due(now=start)
    ids = {one.json()["data"]["id"]: one.headers["webhook-id"] for one in receiver.messages}
    since = (start - timedelta(minutes=90)).isoformat()
    url = f"/gateway/v1/webhooks/{webhook['id']}/replay"
    answer = await partner.post(url, json={"since": since}, headers={"Idempotency-Key": "r"})
    assert answer.json() == {"messages": 1}
    await dispatcher.deliver_due(now=_now())
    again = receiver.messages[2]
    assert again.headers["webhook-id"] == ids[again.json()["data"]["id"]]
    assert len(receiver.messages) == 3


async def test_a_stalling_receiver_does_not_delay_another(
    subscribe: "Subscribe",
    receiver: "Receiver",
    tell: "Tell",
    dispatcher: Dispatcher,
    start_peer: "StartPeer",
    reply: "type[Reply]",
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(callouts, "TIMEOUT_SECONDS", 3600.0)
    stalled, never = asyncio.Event(), asyncio.Event()

    async def stall(asked: "Asked") -> "Reply":
        if json.loads(asked.body)["type"] != "endpoint.verification":
            stalled.set()
            await never.wait()
        return reply(200, asked.json()["data"])

    async with start_peer(stall) as slow:
        await subscribe(url=f"{slow.url}/hook")
        await subscribe()
        for _ in range(30):
            await tell(now=_now())
        running = asyncio.create_task(dispatcher.run())
        try:
            async with asyncio.timeout(60):
                await stalled.wait()
                while len(receiver.messages) < 30:
                    await asyncio.sleep(0.05)
            assert len(slow.asked) - 1 <= 8
        finally:
            await cancel_all({running})


async def test_two_dispatchers_do_not_send_the_same_delivery(
    subscribe: "Subscribe", receiver: "Receiver", tell: "Tell", dispatcher: Dispatcher
) -> None:
    await subscribe()
    for _ in range(8):
        await tell(now=_now())
    await asyncio.gather(*(dispatcher.deliver_due(now=_now()) for _ in range(4)))
    assert len(receiver.messages) == 8


async def test_a_process_that_died_with_a_claim_loses_nothing(
    subscribe: "Subscribe", receiver: "Receiver", tell: "Tell", dispatcher: Dispatcher
) -> None:
    await subscribe()
    start = _now()
    await tell(now=start)
    claimed = await dispatcher.claim(now=start)
    assert len(claimed) == 1
    assert await dispatcher.deliver_due(now=start + timedelta(seconds=30)) == 0
    assert await dispatcher.deliver_due(now=start + timedelta(seconds=61)) == 1
    assert len(receiver.messages) == 1


async def test_while_a_secret_is_replaced_both_sign(
    subscribe: "Subscribe",
    partner: httpx.AsyncClient,
    receiver: "Receiver",
    tell: "Tell",
    dispatcher: Dispatcher,
) -> None:
    webhook = await subscribe()
    url = f"/gateway/v1/webhooks/{webhook['id']}/rotate-secret"
    fresh = (await partner.post(url, headers={"Idempotency-Key": str(new_id())})).json()["secret"]
    await tell(now=_now())
    await dispatcher.deliver_due(now=_now())
    (message,) = receiver.messages
    for secret in (webhook["secret"], fresh):
        Webhook(secret).verify(message.body, message.headers)
    later = _now() + timedelta(hours=25)
    await tell(now=later)
    await dispatcher.deliver_due(now=later)
    assert len(receiver.messages[1].headers["webhook-signature"].split(" ")) == 2
