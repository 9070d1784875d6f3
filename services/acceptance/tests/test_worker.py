"""The worker as it ships, on real PostgreSQL and NATS: outbox, relay, durable consumers, sweeper."""

import asyncio
import json
import uuid
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import nats
import pytest
from fastapi import FastAPI
from pydantic import SecretStr
from sqlalchemy import select, update

from acceptance_service.app import define_service
from acceptance_service.applications.models import Application, HeldLicence
from acceptance_service.cases.domain.states import CaseStatus
from acceptance_service.cases.handlers import intake
from acceptance_service.cases.models import Case
from acceptance_service.settings import Settings
from lianban_local.testing.brokers import TestNats
from lianban_local.testing.databases import TestPostgres
from service_common import timeline
from service_common.app import create_app
from service_common.clock import utc_now
from service_common.contracts.acceptance import HolderKind
from service_common.contracts.certificates import LicenceIssued
from service_common.outbox import envelop
from service_common.streams import ensure_streams

PENSION = "HN-430300-002014006001-02"
PUBLIC_PLACE = "HN-430300-000123020000-01"


class Running:
    """The worker with the tests' peers, and a person who applies."""

    def __init__(self, app: FastAPI, office: Any) -> None:
        self.app = app
        self.office = office
        self.sessions = app.state.database.sessions

    async def each(self, act: Callable[[Any], Any]) -> Any:
        async with self.sessions() as session, session.begin():
            return await act(replace(self.office, session=session, app=self.app, now=utc_now()))

    async def case(self, case_id: uuid.UUID) -> Case:
        async with self.sessions() as session:
            found: Case = await session.get_one(Case, case_id)
            return found

    async def until(self, case_id: uuid.UUID, status: CaseStatus) -> Case:
        """Waits for the worker; the test's own time limit ends a wait in vain."""
        while (case := await self.case(case_id)).status is not status:
            await asyncio.sleep(0.05)
        return case


@pytest.fixture
async def running(
    postgres: TestPostgres,
    nats_server: TestNats,
    catalogue_url: str,
    settings: Settings,
    office: Any,
    tmp_path: Path,
) -> AsyncIterator[Running]:
    await nats_server.clear()
    own = settings.model_copy(
        update={
            "database_url": SecretStr(postgres.create_database("acceptance_catalogue")),
            "nats_url": SecretStr(nats_server.url),
            "files_folder": tmp_path / "files",
            "sweep_seconds": 0.2,
        }
    )
    client = await nats.connect(nats_server.url)
    await ensure_streams(client.jetstream(), own)
    app = create_app(define_service(own), worker=True, api=False)
    async with app.router.lifespan_context(app):
        app.state.identity = office.app.state.identity
        app.state.certificates = office.app.state.certificates
        yield Running(app, office)
    await client.close()


async def publish_licence(
    running: Running, holder: uuid.UUID, type_name: str, case: Case | None = None
) -> None:
    licence = LicenceIssued(
        licence_id=uuid.uuid4(),
        identifier="1.2.156.3005.2.X.Y.Z.001.0",
        type_code=(case and case.licence_type_code) or "11990000LB0000230M001",
        type_name=type_name,
        holder_kind=HolderKind.NATURAL_PERSON,
        holder_id=holder,
        case_id=case and case.id,
        issuer_department_id=(
            case.department_id if case else running.office.approver("HN-430300-SCJG").department_id
        ),
        licence_version=1,
    )
    event = envelop(licence.licence_id, 1, licence, now=utc_now())
    body = event.model_dump(mode="json") | {"data": licence.model_dump(mode="json")}
    await running.app.state.nats.jetstream().publish(LicenceIssued.subject, json.dumps(body).encode())


async def accept_and_decide(running: Running, case_id: uuid.UUID, department: str) -> None:
    approver = running.office.approver(department)

    async def work(office: Any) -> None:
        await intake.receive_case(office.session, office.ring, case_id, caller=approver, now=office.now)
        await intake.accept_case(
            office.session, office.ring, case_id, intake.AcceptInput(), caller=approver, now=office.now
        )
        await office.decide(await office.session.get_one(Case, case_id), approver)

    await running.each(work)


async def test_a_decision_without_licence_finishes_case_and_application(running: Running) -> None:
    citizen = running.office.citizen()
    receipt = await running.each(lambda office: office.apply(citizen, item=PENSION))
    case_id = receipt.cases[0].id
    await accept_and_decide(running, case_id, "HN-430300-RSB")
    case = await running.until(case_id, CaseStatus.FINISHED)
    async with running.sessions() as session:
        application = await session.get_one(Application, case.application_id)
        assert application.closed_at is not None
        assert timeline.verify(await timeline.read(session, case_id))


async def test_a_licence_is_ordered_once_and_its_news_finishes_the_case(running: Running) -> None:
    citizen = running.office.citizen()
    receipt = await running.each(lambda office: office.apply(citizen, item=PUBLIC_PLACE))
    case_id = receipt.cases[0].id
    await accept_and_decide(running, case_id, "HN-430300-WSJK")
    certifying = await running.until(case_id, CaseStatus.CERTIFYING)
    await publish_licence(running, citizen.person_id, "公共场所卫生许可证", certifying)
    case = await running.until(case_id, CaseStatus.FINISHED)
    assert case.licence_identifier == "1.2.156.3005.2.X.Y.Z.001.0"
    assert len(running.app.state.certificates.orders) == 1


async def test_a_library_that_is_down_is_waited_for(running: Running) -> None:
    running.app.state.certificates.away = True
    citizen = running.office.citizen()
    receipt = await running.each(lambda office: office.apply(citizen, item=PUBLIC_PLACE))
    case_id = receipt.cases[0].id
    await accept_and_decide(running, case_id, "HN-430300-WSJK")
    await asyncio.sleep(0.5)
    assert (await running.case(case_id)).status is CaseStatus.DECIDED_APPROVED
    running.app.state.certificates.away = False
    await running.until(case_id, CaseStatus.CERTIFYING)


async def test_a_business_licence_in_the_library_grants_at_once(running: Running) -> None:
    citizen = running.office.citizen()
    await publish_licence(running, citizen.person_id, "营业执照")

    async def held() -> bool:
        async with running.sessions() as session:
            row = await session.scalar(
                select(HeldLicence.licence_id).where(HeldLicence.holder_id == citizen.person_id)
            )
            return row is not None

    while not await held():
        await asyncio.sleep(0.05)

    async def apply_with_rule(office: Any) -> uuid.UUID:
        receipt = await office.apply(citizen, item=PENSION)
        case: Case = receipt.cases[0]
        case.instant_rule = "business_licence_valid"
        return case.id

    case_id = await running.each(apply_with_rule)
    case = await running.until(case_id, CaseStatus.FINISHED)
    assert case.instant
    assert case.decided_by == "system"


async def test_the_applicants_masked_name_appears_in_the_inbox(running: Running) -> None:
    citizen = running.office.citizen()
    receipt = await running.each(lambda office: office.apply(citizen, item=PENSION))
    while (await running.case(receipt.cases[0].id)).applicant_masked is None:
        await asyncio.sleep(0.05)
    assert (await running.case(receipt.cases[0].id)).applicant_masked == "王**"


async def test_the_sweeper_of_the_worker_accepts_what_nobody_answered(running: Running) -> None:
    citizen = running.office.citizen()
    receipt = await running.each(lambda office: office.apply(citizen, item=PENSION))
    case_id = receipt.cases[0].id
    long_ago = utc_now() - timedelta(days=20)
    async with running.sessions() as session, session.begin():
        await session.execute(
            update(Case)
            .where(Case.id == case_id)
            .values(
                submitted_at=long_ago, intake_received_at=long_ago, intake_due_at=long_ago, sweep_at=long_ago
            )
        )
    case = await running.until(case_id, CaseStatus.ACCEPTED)
    assert case.deemed_accepted
