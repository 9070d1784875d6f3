"""The night's work, and the whole way of an event through the real broker."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import nats
from sqlalchemy import func, select, update

from certificates_service.app import define_service
from certificates_service.licences.domain import Content, IssuerNotKnown, Order
from certificates_service.licences.handlers.issue import Desk, issue_licence
from certificates_service.licences.models import Licence
from certificates_service.presentation.models import PresentationCode
from certificates_service.settings import Settings
from certificates_service.worker import run_nightly, seconds_until_night
from service_common.app import create_app
from service_common.auth import Caller
from service_common.clock import local_date, utc_now
from service_common.contracts.acceptance import HolderKind
from service_common.contracts.certificates import LicenceIssued
from service_common.contracts.envelope import CloudEvent
from service_common.contracts.identity import DepartmentChanged
from service_common.crypto import KeyRing
from service_common.db import Database, new_id
from service_common.streams import ensure_streams

Json = dict[str, Any]
OrderJson = Callable[..., Json]
Issue = Callable[[Json], Awaitable[Json]]
Headers = Callable[[], dict[str, str]]


async def test_the_night_writes_down_what_has_expired_once(
    client: httpx.AsyncClient, issue: Issue, person_order: OrderJson, holder: Headers, database: Database
) -> None:
    today = local_date(utc_now())
    ends = await issue(person_order(valid_until=str(today)))
    await issue(person_order(valid_until=str(today + timedelta(days=1))))
    await issue(person_order())
    assert await run_nightly(database, now=utc_now()) == 0
    tomorrow = utc_now() + timedelta(days=1)
    assert sum(await asyncio.gather(*(run_nightly(database, now=tomorrow) for _ in range(3)))) == 1
    history = (await client.get(f"/licences/{ends['id']}/timeline", headers=holder())).json()
    assert [one["action"] for one in history["entries"]] == ["issue", "expire"]
    assert history["entries"][1]["actor_kind"] == "system"
    async with database.sessions() as session:
        row = await session.get(Licence, ends["id"])
    assert row is not None
    assert row.status == "EXPIRED"


async def test_the_night_forgets_old_codes(
    client: httpx.AsyncClient, issue: Issue, person_order: OrderJson, holder: Headers, database: Database
) -> None:
    card = await issue(person_order())
    await client.post(f"/licences/{card['id']}/present", headers=holder())

    async def codes() -> int:
        async with database.sessions() as session:
            return await session.scalar(select(func.count()).select_from(PresentationCode)) or 0

    await run_nightly(database, now=utc_now())
    assert await codes() == 1
    async with database.sessions() as session, session.begin():
        await session.execute(update(PresentationCode).values(expires_at=utc_now() - timedelta(days=2)))
    await run_nightly(database, now=utc_now())
    assert await codes() == 0


def test_the_night_begins_after_midnight_in_shanghai() -> None:
    before = datetime(2026, 11, 22, 16, 4, tzinfo=UTC)  # 00:04 in Shanghai
    assert seconds_until_night(before) == 60
    assert seconds_until_night(before + timedelta(minutes=2)) == 24 * 3600 - 60


async def test_a_department_is_heard_of_and_a_licence_told_of_through_the_broker(
    settings: Settings, database: Database, ring: KeyRing
) -> None:
    broker = await nats.connect(settings.nats_url.get_secret_value())
    jetstream = broker.jetstream()
    await ensure_streams(jetstream, settings)
    department_id = new_id()
    fact = DepartmentChanged(
        department_id=department_id,
        uscc="11990300LB00002305",
        name="示例市市场监督管理局",
        short_name="市监局",
        division="430300000000",
    )
    event = CloudEvent[DepartmentChanged](
        id=new_id(),
        type=fact.subject,
        source="/identity",
        subject=department_id,
        time=utc_now(),
        revision=1,
        data=fact,
    )
    order = Order(
        "11990000LB0000230M001",
        HolderKind.LEGAL_PERSON,
        new_id(),
        department_id,
        Content({"统一社会信用代码": "91990101MA0000A19H", "名称": "试验田"}, local_date(utc_now()), None),
    )
    worker = create_app(define_service(settings), worker=True, api=False)
    async with worker.router.lifespan_context(worker), asyncio.timeout(60):
        await jetstream.publish(fact.subject, event.model_dump_json().encode())
        licence = await _issue_when_known(database, Desk(ring, settings.licence_issuer), order)
        told = await jetstream.subscribe(LicenceIssued.subject, ordered_consumer=True)
        message = await told.next_msg(timeout=60)
    heard = CloudEvent[LicenceIssued].model_validate_json(message.data)
    assert (heard.data.identifier, heard.revision) == (licence.identifier, 1)
    await broker.close()


async def _issue_when_known(database: Database, desk: Desk, order: Order) -> Licence:
    caller = Caller(
        subject_id="acceptance", subject_type="client", client_id="acceptance", scopes=frozenset()
    )
    while True:
        try:
            async with database.sessions() as session, session.begin():
                licence, _ = await issue_licence(session, desk, order, caller=caller, now=utc_now())
                return licence
        except IssuerNotKnown:
            await asyncio.sleep(0.05)
