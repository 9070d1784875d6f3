"""The fixtures that all tests of the project stand on."""

import nats
import psycopg
import pytest

from lianban_local.testing.brokers import TestNats
from lianban_local.testing.databases import TestPostgres


def _create_table(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE written (id int)")
        connection.execute("INSERT INTO written VALUES (1)")


def test_clones_have_what_the_migration_made_and_do_not_share_rows(postgres: TestPostgres) -> None:
    first = postgres.create_database("cloned", _create_table)
    second = postgres.create_database("cloned", _create_table)
    with psycopg.connect(first) as connection:
        connection.execute("INSERT INTO written VALUES (2)")
    with psycopg.connect(second) as connection:
        assert connection.execute("SELECT array_agg(id) FROM written").fetchone() == ([1],)


def test_the_migration_runs_once_per_run(postgres: TestPostgres) -> None:
    calls: list[str] = []
    for _ in range(3):
        postgres.create_database("migrated_once", calls.append)
    assert len(calls) <= 1  # 0 when another xdist worker came first


def test_a_failed_migration_is_tried_again_from_nothing(postgres: TestPostgres) -> None:
    def fail_halfway(url: str) -> None:
        _create_table(url)
        raise RuntimeError("broken migration")

    with pytest.raises(RuntimeError, match="broken migration"):
        postgres.create_database("failing", fail_halfway)
    url = postgres.create_database("failing", _create_table)
    with psycopg.connect(url) as connection:
        assert connection.execute("SELECT count(*) FROM written").fetchone() == (1,)


def test_a_test_database_belongs_to_an_ordinary_role(postgres: TestPostgres) -> None:
    with psycopg.connect(postgres.create_database("ordinary")) as connection:
        row = connection.execute(
            "SELECT rolname, rolsuper FROM pg_roles WHERE rolname = current_user"
        ).fetchone()
    assert row == ("ordinary", False)


async def test_cleared_nats_has_no_stream(nats_server: TestNats) -> None:
    client = await nats.connect(nats_server.url)
    await client.jetstream().add_stream(name="ONE", subjects=["one.>"])
    await nats_server.clear()
    assert await client.jetstream().streams_info() == []
    await client.close()


def test_an_emptied_database_has_its_tables_and_no_row_whatever_guards_them(postgres: TestPostgres) -> None:
    url = postgres.create_database("emptied")
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE parents (id int PRIMARY KEY)")
        connection.execute("CREATE TABLE children (parent int REFERENCES parents)")
        connection.execute("CREATE TABLE alembic_version (version_num text)")
        for statement in _REFUSE_DELETES:
            connection.execute(statement)
        for _ in range(2):
            connection.execute("INSERT INTO parents VALUES (1)")
            connection.execute("INSERT INTO children VALUES (1)")
            connection.execute("INSERT INTO alembic_version VALUES ('0001')")
            postgres.empty(url)
            for table in ("parents", "children"):
                assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM alembic_version").fetchone() == (2,)


_REFUSE_DELETES = (
    "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'append-only'; END $$",
    "CREATE TRIGGER append_only BEFORE DELETE ON children FOR EACH ROW EXECUTE FUNCTION refuse()",
)
