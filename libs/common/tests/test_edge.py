"""Requests through the application: commit, problems, idempotency, versions, pages, tokens."""

import asyncio
import time
from collections.abc import Callable
from datetime import datetime
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from fastapi import Response
from joserfc.jwk import ECKey, KeySet
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from service_common.crypto import KeyRing
from service_common.db import Database
from service_common.idempotency import StillRunning, _Claim
from service_common.pages import BadCursor, read_cursor, write_cursor
from service_common.tables import outbox, timeline_entries
from service_common.tokens import _REFRESH_BOUND_SECONDS

NOTES = "/identity/v1/notes"


async def _count(database: Database, table: Any) -> int:
    async with database.sessions() as session:
        return await session.scalar(select(func.count()).select_from(table)) or 0


async def _notes(database: Database) -> int:
    return await _count(database, text("notes"))


async def test_a_failed_commit_never_answers_2xx(client: httpx.AsyncClient, database: Database) -> None:
    answer = await client.post(NOTES, json={"text": "refuse at commit"}, headers={"Idempotency-Key": "a"})
    assert answer.status_code == 500
    assert answer.headers["content-type"] == "application/problem+json"
    assert "refused" not in answer.text
    assert await _notes(database) == 0
    assert await _count(database, outbox) == 0


async def test_what_is_created_is_committed_with_its_event_and_history(
    client: httpx.AsyncClient, database: Database
) -> None:
    answer = await client.post(NOTES, json={"text": "x"}, headers={"Idempotency-Key": "a"})
    assert answer.status_code == 201
    assert answer.headers["api-version"] == "1.0.0"
    assert [
        await _notes(database),
        await _count(database, outbox),
        await _count(database, timeline_entries),
    ] == [1] * 3


async def test_the_same_key_and_payload_has_one_effect_and_one_answer(
    client: httpx.AsyncClient, database: Database
) -> None:
    first = await client.post(NOTES, json={"text": "x"}, headers={"Idempotency-Key": "a"})
    again = await client.post(NOTES, json={"text": "x"}, headers={"Idempotency-Key": "a"})
    assert (again.status_code, again.json()) == (201, first.json())
    assert again.headers["idempotency-replayed"] == "true"
    assert await _notes(database) == 1


async def test_the_same_key_at_the_same_moment_has_one_effect(
    client: httpx.AsyncClient, database: Database
) -> None:
    answers = await asyncio.gather(
        *(client.post(NOTES, json={"text": "x"}, headers={"Idempotency-Key": "a"}) for _ in range(8))
    )
    assert {one.status_code for one in answers} <= {201, 409}
    assert 201 in {one.status_code for one in answers}
    assert await _notes(database) == 1


async def test_a_first_request_that_ends_unseen_leaves_no_second_effect(
    client: httpx.AsyncClient, database: Database
) -> None:
    """Between a statement's snapshot and its lock the first request may end: lock free, answer not yet visible."""
    ring = KeyRing({1: b"k" * 32}, b"i" * 32)
    with pytest.raises(StillRunning):
        async with database.sessions() as session, session.begin():
            second = _Claim(session, ring, "person:00000000-0000-7000-8000-000000000001", "a", b"fingerprint")
            await second.take()
            first = await client.post(NOTES, json={"text": "x"}, headers={"Idempotency-Key": "b"})
            async with database.sessions() as other, other.begin():
                await other.execute(text("UPDATE idempotency_keys SET key = 'a'"))
            await session.execute(text("DELETE FROM notes"))
            await second.keep(Response(first.content, 201))
    assert await _notes(database) == 1


async def test_a_key_is_not_reused_for_another_payload(client: httpx.AsyncClient, database: Database) -> None:
    await client.post(NOTES, json={"text": "x"}, headers={"Idempotency-Key": "a"})
    other = await client.post(NOTES, json={"text": "y"}, headers={"Idempotency-Key": "a"})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert await _notes(database) == 1


async def test_a_key_belongs_to_its_caller(
    client: httpx.AsyncClient, database: Database, token: Callable[..., str]
) -> None:
    await client.post(NOTES, json={"text": "x"}, headers={"Idempotency-Key": "a"})
    stranger = {"Authorization": f"Bearer {token(sub='00000000-0000-7000-8000-000000000002')}"}
    other = await client.post(NOTES, json={"text": "x"}, headers={"Idempotency-Key": "a", **stranger})
    assert other.status_code == 201
    assert await _notes(database) == 2


async def test_a_stored_answer_is_not_readable_in_the_database(
    client: httpx.AsyncClient, database: Database
) -> None:
    await client.post(NOTES, json={"text": "planted secret"}, headers={"Idempotency-Key": "a"})
    async with database.sessions() as session:
        body = await session.scalar(text("SELECT body FROM idempotency_keys"))
    assert body is not None
    assert b"planted" not in body


async def test_text_that_cannot_be_stored_is_the_callers_mistake(
    client: httpx.AsyncClient, database: Database
) -> None:
    answer = await client.post(NOTES, json={"text": "a\x00b"}, headers={"Idempotency-Key": "a"})
    assert (answer.status_code, answer.json()["code"]) == (422, "unstorable_character")
    assert await _notes(database) == 0


async def test_a_failing_statement_does_not_tell_its_values(database: Database) -> None:
    async with database.sessions() as session:
        with pytest.raises(DBAPIError) as caught:
            await session.execute(
                text("SELECT CAST(:number AS integer) / 0"), {"number": 19900000001 - 19 * 10**9}
            )
    assert "900000001" not in str(caught.value)


async def test_creating_without_a_key_is_refused(client: httpx.AsyncClient) -> None:
    answer = await client.post(NOTES, json={"text": "x"})
    assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_required")


async def test_a_change_needs_the_current_version(client: httpx.AsyncClient) -> None:
    note = (await client.post(NOTES, json={"text": "x"}, headers={"Idempotency-Key": "a"})).json()["id"]
    etag = (await client.get(f"{NOTES}/{note}")).headers["etag"]
    change = f"{NOTES}/{note}/change"
    assert (await client.post(change, json={"text": "y"})).status_code == 428
    assert (await client.post(change, json={"text": "y"}, headers={"If-Match": etag})).status_code == 200
    stale = await client.post(change, json={"text": "z"}, headers={"If-Match": etag})
    assert (stale.status_code, stale.json()["code"]) == (412, "stale_version")
    assert (
        await client.post(change, json={"text": "z"}, headers={"If-Match": "nonsense"})
    ).status_code == 412


async def test_two_changes_of_one_version_at_once_do_not_both_happen(client: httpx.AsyncClient) -> None:
    note = (await client.post(NOTES, json={"text": "x"}, headers={"Idempotency-Key": "a"})).json()["id"]
    etag = (await client.get(f"{NOTES}/{note}")).headers["etag"]
    answers = await asyncio.gather(
        *(
            client.post(f"{NOTES}/{note}/change", json={"text": f"y{i}"}, headers={"If-Match": etag})
            for i in range(6)
        )
    )
    assert sorted(one.status_code for one in answers) == [200] + [412] * 5


async def test_pages_walk_through_everything_once(client: httpx.AsyncClient) -> None:
    for i in range(5):
        await client.post(NOTES, json={"text": str(i)}, headers={"Idempotency-Key": str(i)})
    seen, link = [], f"{NOTES}?limit=2"
    while link:
        page = (await client.get(link)).json()
        seen += [one["text"] for one in page["items"]]
        link = page["next"]
    assert seen == list("01234")


@pytest.mark.parametrize("cursor", ["!!!", "bm9uc2Vuc2U", "WyIxIl0", "WzEsMl0", "x" * 400])
async def test_a_bad_cursor_is_refused_clearly(client: httpx.AsyncClient, cursor: str) -> None:
    answer = await client.get(f"{NOTES}?cursor={cursor}")
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_cursor")


@pytest.mark.parametrize(
    ("value", "parse"),
    [
        ("2026-11-22T09:00:00", datetime.fromisoformat),
        ("0001-01-01T00:00:00+23:59", datetime.fromisoformat),
        ("9999-12-31T23:59:59-23:59", datetime.fromisoformat),
        (str(2**63), int),
        (str(-(2**80)), int),
        ("\ud800", str),
    ],
)
def test_a_cursor_that_no_column_compares_with_is_no_cursor(value: str, parse: Callable[[str], Any]) -> None:
    with pytest.raises(BadCursor):
        read_cursor(write_cursor((value,)), parse)


async def test_errors_are_problem_documents_in_both_languages(client: httpx.AsyncClient) -> None:
    for answer, status in [
        (await client.get("/nowhere"), 404),
        (await client.delete(NOTES), 405),
        (await client.post(NOTES, json={"text": "", "more": 1}, headers={"Idempotency-Key": "a"}), 422),
        (await client.post(NOTES, content=b"{", headers={"Idempotency-Key": "a"}), 422),
    ]:
        assert answer.status_code == status
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["status"] == status
    pointers = {
        one["pointer"]
        for one in (
            await client.post(NOTES, json={"text": "", "more": 1}, headers={"Idempotency-Key": "a"})
        ).json()["errors"]
    }
    assert pointers == {"/text", "/more"}
    english = await client.get(
        f"{NOTES}/{'0' * 8}-0000-7000-8000-{'0' * 12}", headers={"Accept-Language": "en"}
    )
    assert english.json()["title"] == "Not found"
    chinese = await client.get(f"{NOTES}/{'0' * 8}-0000-7000-8000-{'0' * 12}")
    assert chinese.json()["title"] == "没有找到"


async def test_a_huge_body_is_refused_before_it_is_read(client: httpx.AsyncClient) -> None:
    async def endless() -> Any:
        for _ in range(64):
            yield b"x" * 65536

    declared = await client.post(NOTES, content=b"x" * 2_000_000, headers={"Idempotency-Key": "a"})
    streamed = await client.post(NOTES, content=endless(), headers={"Idempotency-Key": "a"})
    assert (declared.status_code, streamed.status_code) == (413, 413)
    assert streamed.headers["content-type"] == "application/problem+json"


async def test_tokens_of_others_do_not_open_the_door(
    client: httpx.AsyncClient, token: Callable[..., str], jwks: SimpleNamespace
) -> None:
    forged = ECKey.generate_key("P-256", parameters={"kid": "k1"})
    unknown = ECKey.generate_key("P-256", parameters={"kid": "k9"})
    bad = {
        "expired": token(exp=int(time.time()) - 60),
        "other issuer": token(iss="http://elsewhere/identity"),
        "other audience": token(aud=["urn:lianban:hotline"]),
        "id token": token(typ="JWT"),
        "forged key": token(key=forged),
        "unknown key": token(key=unknown),
        "no expiry": token(exp=None),
        "garbage": "a.b.c",
        "empty": "",
    }
    for name, value in bad.items():
        answer = await client.get(f"{NOTES}/x", headers={"Authorization": f"Bearer {value}"})
        assert answer.status_code == 401, name
        assert "www-authenticate" in answer.headers
    lacking = await client.post(
        NOTES,
        json={"text": "x"},
        headers={"Authorization": f"Bearer {token(scope='openid')}", "Idempotency-Key": "a"},
    )
    assert (lacking.status_code, lacking.json()["code"]) == (403, "insufficient_scope")


async def test_an_ended_session_is_refused(client: httpx.AsyncClient, token: Callable[..., str]) -> None:
    headers = {"Authorization": f"Bearer {token(sid='s1')}", "Idempotency-Key": "a"}
    assert (await client.post(NOTES, json={"text": "x"}, headers=headers)).status_code == 201
    client.app.state.token_verifier._revoked.add("s1")  # type: ignore[attr-defined]
    assert (await client.post(NOTES, json={"text": "x"}, headers=headers)).status_code == 401


async def test_keys_outlive_an_outage_and_unknown_ids_do_not_flood_the_issuer(
    client: httpx.AsyncClient, token: Callable[..., str], jwks: SimpleNamespace
) -> None:
    assert (await client.post(NOTES, json={"text": "x"}, headers={"Idempotency-Key": "a"})).status_code == 201
    jwks.down = True
    asked, began = jwks.asked, time.monotonic()
    assert (
        await client.post(
            NOTES,
            json={"text": "x"},
            headers={"Idempotency-Key": "b", "Authorization": f"Bearer {token(jti='2')}"},
        )
    ).status_code == 201
    for i in range(20):
        stranger = ECKey.generate_key("P-256", parameters={"kid": f"u{i}"})
        await client.get(f"{NOTES}/x", headers={"Authorization": f"Bearer {token(key=stranger)}"})
    assert jwks.asked - asked <= 1 + (time.monotonic() - began) / _REFRESH_BOUND_SECONDS


async def test_a_rotated_key_is_found(
    client: httpx.AsyncClient, token: Callable[..., str], jwks: SimpleNamespace, signing_key: ECKey
) -> None:
    await client.post(NOTES, json={"text": "x"}, headers={"Idempotency-Key": "a"})
    fresh = ECKey.generate_key("P-256", parameters={"kid": "k2"})
    jwks.keys = KeySet([fresh, signing_key])
    client.app.state.token_verifier._keys._asked_at -= 60  # type: ignore[attr-defined]
    headers = {"Authorization": f"Bearer {token(key=fresh)}", "Idempotency-Key": "b"}
    assert (await client.post(NOTES, json={"text": "x"}, headers=headers)).status_code == 201


async def test_metrics_are_there(client: httpx.AsyncClient) -> None:
    await client.get(NOTES)
    assert "python_gc_objects" in (await client.get("/metrics")).text


async def test_the_openapi_document_tells_scopes_and_problems(client: httpx.AsyncClient) -> None:
    document = (await client.get("/identity/v1/openapi.json", headers={"Authorization": ""})).json()
    assert {
        "name": "identity:notes.write",
        "zh": "写便签",
        "en": "Write notes",
        "roles": ["citizen"],
    } in document["x-lianban-scopes"]
    create = document["paths"][NOTES]["post"]
    assert create["security"] == [{"lianban": ["identity:notes.write"]}]
    assert set(create["responses"]) >= {"201", "401", "403", "422", "429", "503"}


async def test_a_timeline_cannot_be_changed(client: httpx.AsyncClient, database: Database) -> None:
    await client.post(NOTES, json={"text": "x"}, headers={"Idempotency-Key": "a"})
    for statement in ("UPDATE timeline_entries SET action = 'other'", "DELETE FROM timeline_entries"):
        with pytest.raises(Exception, match="append-only"):
            async with database.sessions() as session, session.begin():
                await session.execute(text(statement))
