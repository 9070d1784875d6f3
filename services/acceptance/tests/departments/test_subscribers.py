"""Departments as identity tells of them: twice, and out of order."""

import uuid
from datetime import UTC, datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from acceptance_service.departments.handlers import find_departments, staff_in
from acceptance_service.departments.models import Department, StaffMember
from service_common.contracts.envelope import CloudEvent
from service_common.contracts.identity import DepartmentChanged, StaffChanged
from service_common.departments import departments_subscriber, staff_subscriber
from service_common.messaging import apply

CHANGED = departments_subscriber("acceptance", Department)
NOW = datetime(2026, 11, 22, 1, 0, tzinfo=UTC)
DEPARTMENT = uuid.UUID(int=7)


def changed(name: str, revision: int) -> CloudEvent[DepartmentChanged]:
    return CloudEvent[DepartmentChanged](
        id=uuid.uuid4(),
        type=DepartmentChanged.subject,
        source="/identity",
        subject=DEPARTMENT,
        time=NOW,
        revision=revision,
        data=DepartmentChanged(
            department_id=DEPARTMENT,
            uscc="11990300LB00002305",
            name=name,
            short_name=name,
            division="430300000000",
        ),
    )


async def names(session: AsyncSession) -> list[str]:
    return list(await session.scalars(select(Department.name)))


async def test_a_repeated_event_is_applied_once(session: AsyncSession) -> None:
    event = changed("合成市监局", 1)
    assert await apply(session, CHANGED, event)
    assert not await apply(session, CHANGED, event)
    assert await names(session) == ["合成市监局"]


async def test_an_older_event_that_comes_late_changes_nothing(session: AsyncSession) -> None:
    await apply(session, CHANGED, changed("新名", 2))
    await apply(session, CHANGED, changed("旧名", 1))
    assert await names(session) == ["新名"]


async def test_a_department_is_found_by_its_credit_code(session: AsyncSession) -> None:
    await apply(session, CHANGED, changed("合成市监局", 1))
    found = await find_departments(session, ["11990300LB00002305", "HN-000000-XX"])
    assert list(found) == ["11990300LB00002305"]
    assert found["11990300LB00002305"].department_id == DEPARTMENT


async def test_staff_who_moved_or_left_are_no_longer_there_whatever_comes_late(session: AsyncSession) -> None:
    listening, clerk, elsewhere = staff_subscriber("acceptance", StaffMember), uuid.uuid4(), uuid.uuid4()

    async def hear(revision: int, department_id: uuid.UUID, *, active: bool = True) -> None:
        facts = StaffChanged(
            staff_id=clerk, department_id=department_id, division="430300000000", roles=[], active=active
        )
        event = CloudEvent[StaffChanged](
            id=uuid.uuid4(),
            type=StaffChanged.subject,
            source="/identity",
            subject=clerk,
            time=NOW,
            revision=revision,
            data=facts,
        )
        await apply(session, listening, event)

    await hear(1, DEPARTMENT)
    assert await staff_in(session, DEPARTMENT, [clerk, uuid.uuid4()]) == {clerk}
    await hear(3, elsewhere)
    await hear(2, DEPARTMENT)  # late
    assert await staff_in(session, DEPARTMENT, [clerk]) == set()
    await hear(4, elsewhere, active=False)
    assert await staff_in(session, elsewhere, [clerk]) == set()
