"""Lists stay quick with many rows: the database walks an index in the order of the page and stops."""

import uuid
from typing import Any

import pytest
from sqlalchemy import text

FILL = """
INSERT INTO service_cases (id, version, revision, application_id, project_no, item_code, item_version, item_name,
  project_type, department_id, division, applicant_kind, applicant_id, submitted_by, status, waits_for, waits_for_any,
  form_revision, contact_no, submitted_at, correction_noticed, deemed_accepted, tolerance, promise, limits,
  due_provisional, notify_promise, four_eyes, instant, ended_at, sweep_at)
SELECT gen_random_uuid(), 1, 0, :application, 'P' || n, 'X', 1, 'x', 'PROMISED',
  (ARRAY[:one, :two])[1 + n % 2]::uuid, '430300000000', 'NATURAL_PERSON', gen_random_uuid(), gen_random_uuid(),
  CASE WHEN n % 10 = 0 THEN 'SUBMITTED' ELSE 'FINISHED' END, '[]', false, 1, 1,
  timestamptz '2026-01-01' + n * interval '1 minute', false, false, false, false, '{}', false, false, false, false,
  CASE WHEN n % 10 = 0 THEN NULL ELSE now() END, CASE WHEN n % 500 = 0 THEN now() END
FROM generate_series(1, 20000) n
"""


@pytest.fixture
async def department(office: Any) -> uuid.UUID:
    receipt = await office.apply(office.citizen(), item="HN-430300-002014006001-02")
    one, two = uuid.uuid4(), uuid.uuid4()
    await office.session.execute(
        text(FILL), {"application": receipt.application.id, "one": str(one), "two": str(two)}
    )
    await office.session.execute(text("ANALYZE service_cases"))
    return one


async def plan_of(office: Any, sql: str, **facts: Any) -> str:
    rows = await office.session.scalars(text(f"EXPLAIN (COSTS OFF) {sql}"), facts)
    return "\n".join(rows)


async def test_the_inbox_walks_its_index(office: Any, department: uuid.UUID) -> None:
    plan = await plan_of(
        office,
        """SELECT * FROM service_cases WHERE department_id = :department AND division LIKE '4303%'
           AND ended_at IS NULL AND status <> 'WAITING' ORDER BY submitted_at, id LIMIT 21""",
        department=department,
    )
    assert "ix_service_cases_inbox" in plan
    assert "Sort" not in plan


async def test_a_later_page_of_the_inbox_starts_where_it_should(office: Any, department: uuid.UUID) -> None:
    plan = await plan_of(
        office,
        """SELECT * FROM service_cases WHERE department_id = :department AND ended_at IS NULL
           AND status <> 'WAITING' AND (submitted_at, id) > ('2026-01-05', :id)
           ORDER BY submitted_at, id LIMIT 21""",
        department=department,
        id=uuid.uuid4(),
    )
    assert "Index Cond" in plan
    assert "ROW(submitted_at, id) >" in plan.split("Filter")[0]


async def test_one_status_of_the_inbox_walks_its_index(office: Any, department: uuid.UUID) -> None:
    plan = await plan_of(
        office,
        """SELECT * FROM service_cases WHERE department_id = :department AND status = 'FINISHED'
           ORDER BY submitted_at, id LIMIT 21""",
        department=department,
    )
    assert "ix_service_cases_inbox_status" in plan
    assert "Sort" not in plan


async def test_the_sweeper_reads_what_is_due_and_no_more(office: Any, department: uuid.UUID) -> None:
    plan = await plan_of(
        office, "SELECT id FROM service_cases WHERE sweep_at <= now() ORDER BY sweep_at, id LIMIT 200"
    )
    assert "ix_service_cases_sweep" in plan
    assert "Sort" not in plan


async def test_the_cases_of_an_application_are_found_by_index(office: Any, department: uuid.UUID) -> None:
    plan = await plan_of(
        office, "SELECT * FROM service_cases WHERE application_id = :id ORDER BY id", id=uuid.uuid4()
    )
    assert "ix_service_cases_application" in plan
