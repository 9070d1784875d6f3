from dataclasses import replace

from certificates_service.departments.handlers import departments_by_id
from certificates_service.departments.models import Department
from service_common.db import Database, new_id
from service_common.departments import DepartmentState, keep_departments

ROADS = DepartmentState(
    id=new_id(),
    uscc="11990000LB0000484J",
    name="示例市交通运输局",
    division="430300000000",
    active=True,
    revision=2,
)


async def test_a_snapshot_does_not_undo_newer_news(empty_database: Database) -> None:
    for state in (ROADS, replace(ROADS, name="旧名", revision=1)):
        async with empty_database.sessions() as session, session.begin():
            await keep_departments(session, Department, [state])
    async with empty_database.sessions() as session:
        assert (await departments_by_id(session, [ROADS.id]))[ROADS.id].name == ROADS.name


async def test_an_empty_snapshot_changes_nothing(empty_database: Database) -> None:
    async with empty_database.sessions() as session, session.begin():
        await keep_departments(session, Department, [])
        assert await departments_by_id(session, [None]) == {}
