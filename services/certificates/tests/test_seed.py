"""The demo's licences, loaded through the API: once, and once more without harm."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import httpx
from sqlalchemy import func, select

from certificates_service.departments.models import Department
from certificates_service.licences.models import Licence
from certificates_service.signing.handlers import open_document
from lianban_local.authority.register import population
from lianban_local.demo.certificates import MARKET_REGULATOR, POLICE, Api, seed
from service_common.db import Database, new_id
from service_common.departments import DepartmentState, keep_departments

REGULATOR = DepartmentState(
    id=new_id(),
    uscc=MARKET_REGULATOR,
    name="湘潭市市场监督管理局",
    division="430300000000",
    active=True,
    revision=1,
)
OFFICE = replace(REGULATOR, id=new_id(), uscc=POLICE, name="湘潭市公安部门")


@dataclass
class ServiceCaller:
    """Calls the application as a service of the platform."""

    http: httpx.AsyncClient
    platform: Callable[[], dict[str, str]]

    async def call(
        self, method: str, path: str, *, json: Any = None, idempotency_key: str | None = None
    ) -> httpx.Response:
        headers = self.platform() | ({"Idempotency-Key": idempotency_key} if idempotency_key else {})
        return await self.http.request(
            method, path.removeprefix("/certificates/v1"), json=json, headers=headers
        )


async def test_the_seed_issues_once_and_waits_for_departments(
    client: httpx.AsyncClient, platform: Callable[[], dict[str, str]], database: Database
) -> None:
    companies = [one.uscc for one in population().legal_persons]
    people = [one.id_number for one in population().natural_persons[:3]]
    api = Api(
        ServiceCaller(client, platform),
        {MARKET_REGULATOR: REGULATOR.id, POLICE: OFFICE.id},
        {key: new_id() for key in [*companies, *people]},
    )
    seeding = asyncio.create_task(seed(api))
    await asyncio.sleep(0.3)
    assert not seeding.done()
    async with database.sessions() as session, session.begin():
        await keep_departments(session, Department, [REGULATOR, OFFICE])
    active = [one for one in population().legal_persons if one.status == "active"]
    assert await seeding == len(active) + len(people)
    assert await seed(api) == 0
    async with database.sessions() as session:
        count = await session.scalar(select(func.count()).select_from(Licence))
    assert count == len(active) + len(people)


async def test_a_seeded_licence_verifies(
    client: httpx.AsyncClient,
    platform: Callable[[], dict[str, str]],
    token: Callable[..., dict[str, str]],
    database: Database,
) -> None:
    company, person_id = population().legal_persons[0], new_id()
    holder_id = new_id()
    async with database.sessions() as session, session.begin():
        await keep_departments(session, Department, [REGULATOR, OFFICE])
    api = Api(
        ServiceCaller(client, platform),
        {MARKET_REGULATOR: REGULATOR.id, POLICE: OFFICE.id},
        {company.uscc: holder_id},
    )
    assert await seed(api) == 1
    agent = token(sub=str(person_id), represents=[str(holder_id)])
    [licence] = (await client.get("/licences", headers=agent)).json()["items"]
    document = (await client.get(f"/licences/{licence['id']}/document", headers=agent)).json()["document"]
    async with database.sessions() as session:
        opened = await open_document(session, document)
    assert opened is not None
    assert {one.name: one.value for one in opened.disclosures}["名称"] == company.name
