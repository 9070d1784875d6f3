from collections.abc import Awaitable, Callable
from typing import Any
from uuid import UUID

import httpx

from certificates_service.presentation.subscribers import SUBSCRIBERS
from service_common.clock import utc_now
from service_common.contracts.envelope import CloudEvent
from service_common.contracts.identity import SessionEnded, SessionEndReason
from service_common.db import Database, new_id
from service_common.messaging import handle_once

Json = dict[str, Any]
Caller = Callable[[], dict[str, str]]
SESSION = UUID("00000000-0000-7000-8000-0000000000e1")


def ended(session_id: UUID) -> CloudEvent[SessionEnded]:
    fact = SessionEnded(session_id=session_id, subject_id=new_id(), reason=SessionEndReason.LOGOUT)
    return CloudEvent[SessionEnded](
        id=new_id(),
        type=SessionEnded.subject,
        source="/identity",
        subject=session_id,
        time=utc_now(),
        revision=1,
        data=fact,
    )


async def test_a_code_ends_with_its_session_and_the_event_may_come_twice(
    client: httpx.AsyncClient,
    holder: Caller,
    market: Caller,
    issue: Callable[[Json], Awaitable[Json]],
    person_order: Callable[..., Json],
    database: Database,
) -> None:
    [subscriber] = SUBSCRIBERS
    card = await issue(person_order())
    url = f"/licences/{card['id']}/present"

    async def scan(code: str) -> int:
        return (await client.post("/verifications", json={"code": code}, headers=market())).status_code

    code = (await client.post(url, headers=holder())).json()["code"]
    await handle_once(database, subscriber, ended(new_id()))
    assert await scan(code) == 200

    code = (await client.post(url, headers=holder())).json()["code"]
    event = ended(SESSION)
    assert await handle_once(database, subscriber, event) is True
    assert await handle_once(database, subscriber, event) is False
    assert await scan(code) == 404
