"""A department's own system: hears of its cases by webhook, fetches them with its own token, and decides.

Receives as Standard Webhooks says: the signature is checked over the exact bytes, an old message is refused, the same message
twice is handled once, and the answer comes before the work.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from lianban_local import ports
from lianban_local.demo.app import Machine
from lianban_local.demo.handling import decide, until

_PATH = "/hooks/lianban"


@dataclass
class PartnerSystem:
    """One department's system while it runs."""

    machine: Machine
    url: str
    heard: list[str] = field(default_factory=list)
    """Ids of the cases that a webhook told of."""
    decided: list[str] = field(default_factory=list)
    _secret: "asyncio.Future[str]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    _seen: set[str] = field(default_factory=set)
    _work: "asyncio.Queue[str]" = field(default_factory=asyncio.Queue)

    async def receive(self, request: Request) -> Response:
        body = await request.body()
        secret = await asyncio.wait_for(asyncio.shield(self._secret), 10)
        try:
            message: dict[str, Any] = Webhook(secret).verify(body, dict(request.headers))
        except WebhookVerificationError:
            return Response(status_code=401)
        if message["type"] == "endpoint.verification":
            return Response(
                f'{{"challenge": "{message["data"]["challenge"]}"}}', media_type="application/json"
            )
        if request.headers["webhook-id"] not in self._seen:
            self._seen.add(request.headers["webhook-id"])
            self.heard.append(message["data"]["id"])
            self._work.put_nowait(message["data"]["id"])
        return Response(status_code=204)

    async def subscribe(self) -> None:
        """Asks the platform to be told, and waits until the platform has verified that the address is ours."""
        wanted = {"url": self.url, "event_types": ["case.submitted"], "description": "审批系统（示例）"}
        made = await self.machine.post("/gateway/v1/webhooks", wanted)
        self._secret.set_result(made["secret"])
        await until(
            lambda: self.machine.get(f"/gateway/v1/webhooks/{made['id']}"),
            lambda webhook: webhook["status"] == "ACTIVE",
            "the webhook's verification",
        )

    async def work(self) -> None:
        """Decides what it heard of, one after the other."""
        while True:
            case_id = await self._work.get()
            await decide(self.machine, case_id)
            self.decided.append(case_id)


@asynccontextmanager
async def partner_system(machine: Machine) -> AsyncIterator[PartnerSystem]:
    """Listens on loopback for the length of a ``with``."""
    port = ports.choose()
    system = PartnerSystem(machine, f"http://127.0.0.1:{port}{_PATH}")
    app = FastAPI(openapi_url=None)
    app.add_api_route(_PATH, system.receive, methods=["POST"])
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=port, log_level="warning"))
    serving = asyncio.create_task(server.serve())
    working = asyncio.create_task(system.work())
    try:
        await system.subscribe()
        yield system
    finally:
        working.cancel()
        server.should_exit = True
        await asyncio.gather(serving, working, return_exceptions=True)
