"""Going back one version and forth again, with rows that only the newer one can hold."""

from uuid import uuid4

import psycopg
from alembic import command

from acceptance_service.app import MIGRATIONS
from lianban_local.testing.databases import TestPostgres
from service_common.migrations import config_for, migrate


def test_the_version_before_the_window_can_be_gone_back_to(postgres: TestPostgres) -> None:
    url = postgres.create_database("acceptance_back", lambda fresh: migrate(fresh, MIGRATIONS))
    config = config_for(url, MIGRATIONS)
    application_id, department_id = uuid4(), uuid4()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO applications (id, version, revision, status, subject_code, title, division, lead_department_id, answers,"
            " promises, tolerance_promised, delivery, in_addition, applicant_kind, applicant_id, submitted_by, form_revision,"
            " items_with_applicant, channel, taken_in_by, window_department_id) VALUES (%(id)s, 1, 0, 'DRAFT', 'X', 'x',"
            " '430300000000', %(some)s, '{}', '[]', false, 'ELECTRONIC', false, 'NATURAL_PERSON', %(some)s, %(some)s, 0, '[]',"
            " 'WINDOW', %(some)s, %(some)s)",
            {"id": application_id, "some": department_id},
        )
        connection.execute(
            "INSERT INTO access_records (id, application_id, at, actor_kind, actor_id, what)"
            " VALUES (%s, %s, now(), 'staff', 'x', 'WINDOW_FORM')",
            [uuid4(), application_id],
        )
        connection.execute(
            "INSERT INTO window_sittings (id, application_id, person_id, trust_level, method, staff_id, department_id, division,"
            " began_at, ends_at) VALUES (%(id)s, %(of)s, %(some)s, 2, 'IDENTITY_CODE', %(some)s, %(some)s, '430300000000', now(),"
            " now())",
            {"id": uuid4(), "of": application_id, "some": department_id},
        )
        command.downgrade(config, "0006")
        command.upgrade(config, "head")
        row = connection.execute("SELECT channel, taken_in_by FROM applications").fetchone()
    assert row == ("ONLINE", None)
    command.check(config)  # what the models say is what the migrations made
