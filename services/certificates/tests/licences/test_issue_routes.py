from collections.abc import Callable
from typing import Any

import httpx

Json = dict[str, Any]
Order = Callable[..., Json]
Caller = Callable[[], dict[str, str]]


async def test_a_licence_is_issued(client: httpx.AsyncClient, platform: Caller, business_order: Order) -> None:
    answer = await client.post("/licences", json=business_order(), headers=platform())
    assert answer.status_code == 201, answer.text
