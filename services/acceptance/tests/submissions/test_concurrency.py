"""Many at once, on committed transactions: no number twice, no case decided twice, nothing lost."""

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncSession, async_sessionmaker, create_async_engine

from acceptance_service.applications.domain import NotDraft, OpenApplicationExists
from acceptance_service.applications.models import Application
from acceptance_service.cases.domain.rules import ClaimedByAnother
from acceptance_service.cases.domain.states import ActionNotPossible, CaseStatus
from acceptance_service.cases.handlers import deciding, intake
from acceptance_service.cases.models import Case, Document
from acceptance_service.files import handlers as files
from acceptance_service.files.domain import Quota, UploadQuotaUsed
from acceptance_service.numbering.handlers import Serials
from acceptance_service.settings import Settings
from acceptance_service.submissions.handlers.submit import submit_application
from acceptance_service.window.handlers.opening import Wish, begin_at_window
from gov_rules.identifiers import parse_document_number
from lianban_local.testing.databases import TestPostgres
from service_common import timeline
from service_common.contracts.acceptance import Outcome
from service_common.db import async_url
from service_common.errors import Stale
from service_common.presence import Presence, PresenceMethod, PresenceNotValid

ITEM = "HN-430300-002014006001-02"
PEOPLE = 50


@pytest.fixture
async def crowd(
    postgres: TestPostgres, catalogue_url: str, office: Any, settings: Settings
) -> "AsyncIterator[Crowd]":
    """A clone of the published catalogue, for one test alone: here transactions are committed, through a small pool."""
    url = postgres.create_database("acceptance_catalogue")
    engine = create_async_engine(async_url(url), pool_size=10, max_overflow=0)
    async with Serials.connect(settings.model_copy(update={"database_url": SecretStr(url)})) as serials:
        office.app.state.serials = serials
        yield Crowd(office, async_sessionmaker(engine, expire_on_commit=False))
    await engine.dispose()


class Crowd:
    """Runs each act in its own session, committed."""

    def __init__(self, office: Any, sessions: "async_sessionmaker[AsyncSession]") -> None:
        self.office = office
        self.sessions = sessions

    async def each(self, act: Callable[[Any], Any]) -> Any:
        async with self.sessions() as session, session.begin():
            return await act(replace(self.office, session=session))


async def ready_draft(crowd: Crowd, citizen: Any) -> uuid.UUID:
    async def prepare(office: Any) -> uuid.UUID:
        application, plan = await office.draft(citizen, item=ITEM)
        await office.fill(application, plan, citizen)
        application_id: uuid.UUID = application.id
        return application_id

    return uuid.UUID(str(await crowd.each(prepare)))


async def submit(crowd: Crowd, application_id: uuid.UUID, citizen: Any) -> Any:
    async def act(office: Any) -> Any:
        return await submit_application(
            office.session,
            office.ring,
            office.app.state.serials,
            application_id,
            caller=citizen,
            now=office.now,
        )

    return await crowd.each(act)


async def test_fifty_submissions_at_once_get_fifty_sets_of_numbers(crowd: Crowd) -> None:
    citizens = [crowd.office.citizen() for _ in range(PEOPLE)]
    drafts = [await ready_draft(crowd, one) for one in citizens]
    receipts = await asyncio.gather(
        *(submit(crowd, draft, citizen) for draft, citizen in zip(drafts, citizens, strict=True))
    )
    assert len({one.cases[0].project_no for one in receipts}) == PEOPLE
    assert len({one.application.query_number for one in receipts}) == PEOPLE
    async with crowd.sessions() as session:
        kinds = Counter(
            (
                await session.scalars(
                    text("SELECT subject FROM outbox WHERE subject LIKE 'gov.acceptance.%submitted%'")
                )
            ).all()
        )
        for one in receipts:
            assert timeline.verify(await timeline.read(session, one.application.id))
    assert kinds == {
        "gov.acceptance.application.submitted.v1": PEOPLE,
        "gov.acceptance.case.submitted.v1": PEOPLE,
    }


async def test_one_draft_handed_in_ten_times_at_once_is_one_application(crowd: Crowd) -> None:
    citizen = crowd.office.citizen()
    draft = await ready_draft(crowd, citizen)
    done = await asyncio.gather(*(submit(crowd, draft, citizen) for _ in range(10)), return_exceptions=True)
    assert sum(not isinstance(one, BaseException) for one in done) == 1
    assert {type(one) for one in done if isinstance(one, BaseException)} == {NotDraft}
    async with crowd.sessions() as session:
        rows = await session.scalars(select(Case).where(Case.application_id == draft))
        assert len(rows.all()) == 1


async def test_two_devices_beginning_the_same_thing_make_one_draft(crowd: Crowd) -> None:
    citizen = crowd.office.citizen()
    done = await asyncio.gather(
        *(crowd.each(lambda office: office.draft(citizen, item=ITEM)) for _ in range(6)),
        return_exceptions=True,
    )
    assert sum(not isinstance(one, BaseException) for one in done) == 1
    assert {type(one) for one in done if isinstance(one, BaseException)} == {OpenApplicationExists}


async def accepted_case(crowd: Crowd) -> tuple[Any, Any]:
    citizen = crowd.office.citizen()
    receipt = await submit(crowd, await ready_draft(crowd, citizen), citizen)
    case = receipt.cases[0]
    approver = crowd.office.approver("HN-430300-RSB")

    async def accept(office: Any) -> None:
        await intake.receive_case(office.session, office.ring, case.id, caller=approver, now=office.now)
        await intake.accept_case(
            office.session, office.ring, case.id, intake.AcceptInput(), caller=approver, now=office.now
        )
        await intake.release_claim(office.session, case.id, caller=approver, now=office.now)

    await crowd.each(accept)
    async with crowd.sessions() as session:
        return await session.get_one(Case, case.id), approver


async def test_ten_approvers_at_once_make_one_decision(crowd: Crowd) -> None:
    case, _ = await accepted_case(crowd)
    approvers = [crowd.office.approver("HN-430300-RSB") for _ in range(10)]

    def decide(approver: Any) -> Any:
        decision = deciding.DecisionInput(Outcome.APPROVED, intake.Refusal("", ""))
        return crowd.each(
            lambda office: deciding.decide_case(
                office.session,
                office.ring,
                case.id,
                decision,
                expected_version=case.version,
                caller=approver,
                now=office.now,
            )
        )

    done = await asyncio.gather(*(decide(one) for one in approvers), return_exceptions=True)
    assert sum(not isinstance(one, BaseException) for one in done) == 1
    refusals = {type(one) for one in done if isinstance(one, BaseException)}
    assert refusals <= {ClaimedByAnother, Stale, ActionNotPossible}
    async with crowd.sessions() as session:
        entries = await timeline.read(session, case.id)
        assert timeline.verify(entries)
        assert [one.action for one in entries].count("APPROVE") == 1


async def test_document_numbers_of_a_busy_department_have_no_gap(crowd: Crowd) -> None:
    citizens = [crowd.office.citizen() for _ in range(12)]
    receipts = [await submit(crowd, await ready_draft(crowd, one), one) for one in citizens]
    approver = crowd.office.approver("HN-430300-RSB")

    def receive(case_id: uuid.UUID) -> Any:
        return crowd.each(
            lambda office: intake.receive_case(
                office.session, office.ring, case_id, caller=approver, now=office.now
            )
        )

    await asyncio.gather(*(receive(one.cases[0].id) for one in receipts))
    async with crowd.sessions() as session:
        ids = [one.cases[0].id for one in receipts]
        numbers = await session.scalars(select(Document.number).where(Document.case_id.in_(ids)))
        assert sorted(parse_document_number(one).serial for one in numbers) == list(range(1, 13))


async def test_twenty_acts_at_once_on_one_case_are_twenty_links_of_one_chain(crowd: Crowd) -> None:
    citizen = crowd.office.citizen()
    application_id = await ready_draft(crowd, citizen)
    receipt = await submit(crowd, application_id, citizen)
    case = receipt.cases[0]
    approver = crowd.office.approver("HN-430300-RSB")
    await asyncio.gather(
        *(
            crowd.each(
                lambda office: intake.claim_case(office.session, case.id, caller=approver, now=office.now)
            )
            for _ in range(20)
        )
    )
    async with crowd.sessions() as session:
        entries = await timeline.read(session, case.id)
        assert timeline.verify(entries)
        assert [one.action for one in entries].count("CLAIM") == 20
        application = await session.get_one(Application, application_id)
        assert application.closed_at is None
        assert (await session.get_one(Case, case.id)).status is CaseStatus.SUBMITTED


async def test_the_same_upload_sent_twice_at_once_is_one_file(crowd: Crowd) -> None:
    citizen = crowd.office.citizen()

    async def upload(office: Any) -> uuid.UUID:
        async def content() -> AsyncIterator[bytes]:
            yield b"%PDF-1.7 the same"

        port = office.app.state.files
        stored = await files.take_in(port, content())
        facts, _ = await files.register_upload(
            office.session, port, stored, name="材料.pdf", upload_key="k", caller=citizen, now=office.now
        )
        return facts.id

    assert len(set(await asyncio.gather(*(crowd.each(upload) for _ in range(4))))) == 1


async def test_uploads_at_once_do_not_all_find_the_same_room(crowd: Crowd) -> None:
    citizen = crowd.office.citizen()
    port = replace(crowd.office.app.state.files, daily=Quota(files=3, size=10_000))

    async def upload(office: Any) -> bool:
        async def content() -> AsyncIterator[bytes]:
            yield b"%PDF-1.7 " + uuid.uuid4().bytes

        stored = await files.take_in(port, content())
        await files.register_upload(
            office.session,
            port,
            stored,
            name="材料.pdf",
            upload_key=str(uuid.uuid4()),
            caller=citizen,
            now=office.now,
        )
        return True

    done = await asyncio.gather(*(crowd.each(upload) for _ in range(6)), return_exceptions=True)
    assert done.count(True) == 3
    assert sum(isinstance(one, UploadQuotaUsed) for one in done) == 3


async def test_one_proof_of_presence_opens_one_draft_at_two_desks_at_once(crowd: Crowd) -> None:
    clerk = replace(crowd.office.approver("HN-430300-RSB"), roles=frozenset({"clerk"}))
    presence = Presence(
        id=uuid.uuid4(),
        person_id=uuid.uuid4(),
        legal_person_id=None,
        trust_level=3,
        method=PresenceMethod.IDENTITY_CODE,
        staff_id=clerk.staff_id,
        department_id=clerk.department_id,
        division=clerk.division,
        expires_at=crowd.office.now,
    )

    async def begin(office: Any) -> None:
        wish = Wish(None, ITEM, None, in_addition=True)
        await begin_at_window(
            office.session, presence, wish, clerk=clerk, length=timedelta(hours=2), now=office.now
        )

    done = await asyncio.gather(*(crowd.each(begin) for _ in range(4)), return_exceptions=True)
    assert done.count(None) == 1
    assert sum(isinstance(one, PresenceNotValid) for one in done) == 3
    async with crowd.sessions() as session:
        held = select(Application.id).where(Application.applicant_id == presence.person_id)
        assert len((await session.scalars(held)).all()) == 1
