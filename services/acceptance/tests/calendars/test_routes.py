"""The calendar over HTTP."""

from collections.abc import Callable
from typing import Any

NOTICE = {
    "version": "cn-2026.2",
    "source": "测试通知",
    "amends": True,
    "days": [{"date": "2026-07-03", "kind": "holiday", "name": "抗洪"}],
}
PATH = "/acceptance/v1/calendars"


def headers(token: Callable[..., str], scope: str) -> dict[str, str]:
    given = token(subject_type="staff", scope=scope, roles=["operator"])
    return {"Authorization": f"Bearer {given}", "Idempotency-Key": "one"}


async def test_an_operator_loads_a_notice(office: Any, token: Callable[..., str]) -> None:
    scope = "acceptance:calendars.read acceptance:calendars.write"
    async with office.client() as client:
        loaded = await client.post(f"{PATH}/2026", json=NOTICE, headers=headers(token, scope))
        shown = await client.get(PATH, headers=headers(token, scope))
    assert (loaded.status_code, loaded.json()["version"]) == (201, "cn-2026.2")
    assert [one["version"] for one in shown.json()["notices"]] == ["cn-2026.2"]


async def test_others_do_not(office: Any, token: Callable[..., str]) -> None:
    async with office.client() as client:
        answer = await client.post(
            f"{PATH}/2026", json=NOTICE, headers=headers(token, "acceptance:calendars.read")
        )
    assert answer.status_code == 403


async def test_a_fault_is_named(office: Any, token: Callable[..., str]) -> None:
    body = NOTICE | {"days": [{"date": "2026-07-03", "kind": "workday", "name": "x"}], "amends": False}
    async with office.client() as client:
        answer = await client.post(
            f"{PATH}/2026", json=body, headers=headers(token, "acceptance:calendars.write")
        )
    assert (answer.status_code, answer.json()["code"]) == (422, "calendar_notice_rejected")
    assert answer.json()["errors"]
