"""The projection of departments, from identity's saved sample event."""

import json
from pathlib import Path
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from hotline_service.departments.handlers import departments_serving, find_department
from hotline_service.departments.models import Department
from service_common.contracts.envelope import CloudEvent
from service_common.contracts.identity import DepartmentChanged
from service_common.db import new_id
from service_common.departments import departments_subscriber
from service_common.messaging import apply

SUBSCRIBER = departments_subscriber("hotline", Department)
SAMPLE = Path(__file__).parents[4] / "tests/contracts/samples/gov.identity.department.changed.v1.json"


def event(revision: int, **changes: Any) -> CloudEvent[DepartmentChanged]:
    sample = json.loads(SAMPLE.read_text())
    sample |= {"id": str(new_id()), "revision": revision, "data": sample["data"] | changes}
    return CloudEvent[DepartmentChanged].model_validate(sample)


async def test_the_same_event_twice_is_applied_once(session: AsyncSession) -> None:
    one = event(1)
    assert await apply(session, SUBSCRIBER, one)
    assert not await apply(session, SUBSCRIBER, one)
    known = await find_department(session, one.data.department_id)
    assert known is not None
    assert (known.name, known.division) == (one.data.name, one.data.division)


async def test_an_older_change_that_comes_later_is_ignored(session: AsyncSession) -> None:
    newer, older = event(3, name="新名称", active=False), event(2, name="旧名称")
    assert await apply(session, SUBSCRIBER, newer)
    assert not await apply(session, SUBSCRIBER, older)
    known = await find_department(session, newer.data.department_id)
    assert known is not None
    assert (known.name, known.active) == ("新名称", False)


async def test_departments_of_a_district_come_before_those_of_its_city(
    session: AsyncSession, cast: Any
) -> None:
    serving = [one.id for one in await departments_serving(session, cast.district)]
    assert serving[0] == cast.urban
    assert {cast.housing, cast.centre} <= set(serving)
    assert cast.elsewhere not in serving


async def test_a_development_zone_unknown_to_the_table_still_finds_its_city(
    session: AsyncSession, cast: Any
) -> None:
    assert cast.housing in {one.id for one in await departments_serving(session, "430399000000")}
