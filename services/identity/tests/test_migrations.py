"""Going back one version and forth again, with rows that only the newer one can hold."""

from uuid import uuid4

import psycopg
from alembic import command

from identity_service.app import MIGRATIONS
from lianban_local.testing.databases import TestPostgres
from service_common.migrations import config_for, migrate

CHILD, ADULT, COMPANY = uuid4(), uuid4(), uuid4()


def fill(connection: psycopg.Connection) -> None:
    """A child without a phone, a suspended agent, a long reference."""
    person = "INSERT INTO persons (id, version, revision, phone, phone_index, trust_level, is_active) VALUES"
    connection.execute(f"{person} (%s, 1, 0, NULL, NULL, 2, true)", [CHILD])
    connection.execute(f"{person} (%s, 1, 0, 'x', 'x', 2, true)", [ADULT])
    connection.execute(
        "INSERT INTO legal_persons (id, version, revision, uscc, name, kind, representative_id, confirmed_at, is_active) "
        "VALUES (%s, 1, 0, '91990101MA0000A19H', 'x', 'ENTERPRISE', %s, now(), true)",
        [COMPANY, ADULT],
    )
    connection.execute(
        "INSERT INTO agents (id, legal_person_id, person_id, appointed_by, appointed_at, suspended_at) "
        "VALUES (%s, %s, %s, %s, now(), now())",
        [uuid4(), COMPANY, ADULT, ADULT],
    )
    connection.execute(
        "INSERT INTO access_log (id, subject_id, client_id, attributes, purpose, reference, at) "
        "VALUES (%s, %s, 'x', '[]', 'x', %s, now())",
        [uuid4(), ADULT, "r" * 150],
    )


def test_the_version_before_can_be_gone_back_to_with_rows_it_does_not_know(postgres: TestPostgres) -> None:
    url = postgres.create_database("identity_back", lambda fresh: migrate(fresh, MIGRATIONS))
    config = config_for(url, MIGRATIONS)
    with psycopg.connect(url, autocommit=True) as connection:
        fill(connection)
        command.downgrade(config, "0004")
        assert connection.execute("SELECT count(*) FROM persons WHERE phone IS NULL").fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM agents WHERE revoked_at IS NULL").fetchone() == (0,)
        assert connection.execute("SELECT max(length(reference)) FROM access_log").fetchone() == (100,)
        command.downgrade(config, "0002")
        command.upgrade(config, "head")
        assert connection.execute("SELECT count(*) FROM persons").fetchone() == (2,)
