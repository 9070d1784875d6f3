"""Text that PostgreSQL cannot store is the caller's mistake, and is answered as one."""

import base64
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

Json = dict[str, Any]
Caller = Callable[[], dict[str, str]]


@pytest.mark.parametrize("text", ["a\x00b", "\ud800"])
async def test_an_identifier_with_unstorable_characters_is_invalid_input(
    client: httpx.AsyncClient, market: Caller, text: str
) -> None:
    body = json.dumps({"identifier": text})
    headers = market() | {"Content-Type": "application/json"}
    answer = await client.post("/verifications", content=body, headers=headers)
    assert answer.status_code == 422, answer.text
    public = await client.post("/verifications/public", content=body, headers=headers)
    assert public.status_code == 422


@pytest.mark.parametrize("field", ["project_no", "type_code"])
async def test_an_order_with_an_unstorable_character_is_no_fault_of_ours(
    client: httpx.AsyncClient, platform: Caller, business_order: Callable[..., Json], field: str
) -> None:
    order = business_order(**{field: "a\x00" + "b" * 19})
    assert (await client.post("/licences", json=order, headers=platform())).status_code == 422


@pytest.mark.parametrize("kid", ["\x00", "\ud800"])
async def test_a_key_id_with_an_unstorable_character_is_no_fault_of_ours(
    client: httpx.AsyncClient, kid: str
) -> None:
    header = base64.urlsafe_b64encode(json.dumps({"alg": "ES256", "kid": kid}).encode()).decode()
    document = f"{header.rstrip('=')}.e30.c2ln~"
    answer = await client.post("/verifications/documents", json={"document": document})
    assert answer.status_code == 422


async def test_a_document_of_brackets_within_brackets_is_no_licence_document(
    client: httpx.AsyncClient,
) -> None:
    brackets = base64.urlsafe_b64encode(b"[" * 100_000).decode()
    answer = await client.post("/verifications/documents", json={"document": f"e30.e30.c2ln~{brackets}~"})
    assert (answer.status_code, answer.json()["code"]) == (422, "not_a_licence_document")
