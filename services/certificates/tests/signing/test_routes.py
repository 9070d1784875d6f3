from collections.abc import Awaitable, Callable
from typing import Any

import httpx


async def test_the_keys_are_open_to_all_and_public_only(
    client: httpx.AsyncClient,
    issue: Callable[[dict[str, Any]], Awaitable[dict[str, Any]]],
    business_order: Callable[..., dict[str, Any]],
) -> None:
    await issue(business_order())
    answer = await client.get("/keys")
    assert answer.headers["cache-control"] == "public, max-age=300"
    [key] = answer.json()["keys"]
    assert (key["kty"], key["crv"], key["alg"], key["use"]) == ("EC", "P-256", "ES256", "sig")
    assert "d" not in key
