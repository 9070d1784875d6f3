import asyncio
from typing import Any

import httpx
import pytest
import structlog
from starlette.responses import Response

from service_common.logging import blot_personal_numbers
from service_common.middleware import RequestId


def test_identity_and_mobile_numbers_never_reach_a_log_line() -> None:
    line = {
        "event": "x",
        "note": "号码 430102189912310029 电话 19900001234",
        "id": "01a203c8-60d3-70c1-bbd3-a94671bbfa85",
    }
    assert blot_personal_numbers(None, "info", dict(line)) == {
        "event": "x",
        "note": "号码 *** 电话 ***",
        "id": line["id"],
    }


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("4f1c2a1e-9a77-4a4e-8a0b-0d8d6f0c2b11", "4f1c2a1e-9a77-4a4e-8a0b-0d8d6f0c2b11"),
        ("430102189912310029 and a story", None),
        (None, None),
    ],
)
async def test_log_lines_of_a_request_name_it_as_the_edge_does(given: str | None, kept: str | None) -> None:
    bound: dict[str, Any] = {}

    async def handle(_scope: Any, _receive: Any, send: Any) -> None:
        bound.update(structlog.contextvars.get_contextvars())
        await Response(status_code=204)(_scope, _receive, send)

    transport = httpx.ASGITransport(RequestId(handle))
    async with httpx.AsyncClient(transport=transport, base_url="http://t") as client:
        await asyncio.create_task(client.get("/", headers={"x-request-id": given} if given else {}))
    assert bound.get("request_id") == kept
