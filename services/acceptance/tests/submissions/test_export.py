"""A person's own applications in clear, in as many statements however many there are, and nobody else's."""

import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event

from acceptance_service.cases.handlers.reading import read_full_form
from acceptance_service.submissions.handlers.export import export_applications
from service_common.auth import Caller, LoginTooOld, NotAPerson

if TYPE_CHECKING:
    from services.acceptance.tests.conftest import Office

EXPORT = "/acceptance/v1/me/export"
READ = "acceptance:applications.read"
ITEMS = ("HN-430300-000123020000-01", "HN-430300-002014006001-02")


def just_logged_in(office: "Office", caller: Caller) -> Caller:
    return replace(caller, authenticated_at=int(office.now.timestamp()))


async def export(office: "Office", caller: Caller, limit: int = 100) -> Any:
    return await export_applications(
        office.session, office.ring, caller=caller, before=None, limit=limit, now=office.now
    )


@contextmanager
def counting(office: "Office") -> Iterator[list[str]]:
    """The statements that the database is sent meanwhile."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        sent.append(statement)

    engine = office.session.get_bind().engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield sent
    finally:
        event.remove(engine, "before_cursor_execute", note)


async def test_everything_of_an_application_is_in_it(office: "Office", token: Callable[..., str]) -> None:
    case, citizen, approver = await office.accepted()
    await read_full_form(office.session, office.ring, case.id, caller=approver, now=office.now)
    headers = {
        "Authorization": "Bearer "
        + token(sub=citizen.subject_id, scope=READ, auth_time=int(office.now.timestamp()))
    }
    async with office.client() as client:
        answer = await client.get(EXPORT, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    [told] = answer.json()["items"]
    assert (told["id"], told["applicant_id"]) == (str(case.application_id), citizen.subject_id)
    assert told["form"]
    assert any(one["files"] and one["files"][0]["name"] == "材料.pdf" for one in told["materials"])
    [shown] = told["cases"]
    assert shown["project_no"] == case.project_no
    assert {"ACCEPTANCE"} <= {one["kind"] for one in shown["documents"]}
    assert [one["department_id"] for one in told["accesses"]] == [str(approver.department_id)]


async def test_more_applications_take_no_more_statements(office: "Office") -> None:
    citizen = just_logged_in(office, office.citizen())
    await office.apply(citizen, item=ITEMS[0])
    with counting(office) as for_one:
        assert len(await export(office, citizen)) == 1
    await office.apply(citizen, item=ITEMS[1])
    await office.draft(citizen, item=ITEMS[0], in_addition=True)
    with counting(office) as for_three:
        assert len(await export(office, citizen)) == 3
    assert len(for_three) == len(for_one)


async def test_nobody_gets_anothers_nor_a_represented_companys(office: "Office") -> None:
    citizen, company = just_logged_in(office, office.citizen()), uuid.uuid4()
    agent = just_logged_in(office, office.citizen(represents=frozenset({company})))
    await office.apply(citizen, item=ITEMS[0])
    await office.draft(agent, item=ITEMS[0], applicant=company)
    assert await export(office, agent) == []


async def test_an_old_log_in_and_staff_get_nothing(office: "Office") -> None:
    with pytest.raises(LoginTooOld):
        await export(office, office.citizen())
    with pytest.raises(NotAPerson):
        await export(office, office.approver("HN-430300-WSJK"))
