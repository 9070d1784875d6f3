"""Whether a start of the platform has anything to migrate."""

from pathlib import Path

import psycopg
import pytest

from lianban_local.deployables import Deployable
from lianban_local.migrating import is_current
from lianban_local.testing.databases import TestPostgres


@pytest.mark.parametrize(
    ("revision", "current"), [(None, False), ("0001", False), ("0002", True), ("0003", True)]
)
def test_a_database_at_the_head_or_ahead_of_it_is_left_alone(
    postgres: TestPostgres, tmp_path: Path, revision: str | None, current: bool
) -> None:
    (tmp_path / "migrations").mkdir()
    (tmp_path / "migrations" / ".current-head").write_text("0002\n")
    url = postgres.create_database("migrating")
    if revision:
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE alembic_version (version_num text)")
            connection.execute("INSERT INTO alembic_version VALUES (%s)", (revision,))
    assert is_current(Deployable("tiny", "tiny", tmp_path), url) is current
