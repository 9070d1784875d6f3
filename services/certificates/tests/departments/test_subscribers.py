from uuid import UUID

from certificates_service.departments.handlers import departments_by_id
from certificates_service.departments.models import Department
from service_common.clock import utc_now
from service_common.contracts.envelope import CloudEvent
from service_common.contracts.identity import DepartmentChanged
from service_common.db import Database, new_id
from service_common.departments import departments_subscriber
from service_common.messaging import handle_once

DEPARTMENT = UUID("00000000-0000-7000-8000-0000000000a9")


def changed(revision: int, name: str) -> CloudEvent[DepartmentChanged]:
    fact = DepartmentChanged(
        department_id=DEPARTMENT,
        uscc="11990000LB0000484J",
        name=name,
        short_name=name,
        division="430300000000",
    )
    return CloudEvent[DepartmentChanged](
        id=new_id(),
        type=DepartmentChanged.subject,
        source="/identity",
        subject=DEPARTMENT,
        time=utc_now(),
        revision=revision,
        data=fact,
    )


async def _name(database: Database) -> str:
    async with database.sessions() as session:
        return (await departments_by_id(session, [DEPARTMENT]))[DEPARTMENT].name


async def test_a_department_is_kept_and_a_second_delivery_does_nothing(database: Database) -> None:
    subscriber = departments_subscriber("certificates", Department)
    event = changed(1, "示例市交通运输局")
    assert await handle_once(database, subscriber, event) is True
    assert await handle_once(database, subscriber, event) is False
    assert await _name(database) == "示例市交通运输局"


async def test_older_news_that_comes_late_is_ignored(database: Database) -> None:
    subscriber = departments_subscriber("certificates", Department)
    await handle_once(database, subscriber, changed(3, "新名"))
    assert await handle_once(database, subscriber, changed(2, "旧名")) is False
    assert await _name(database) == "新名"
