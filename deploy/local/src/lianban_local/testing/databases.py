"""Databases for tests: migrated once per run as a template, cloned for 75 ms of CPU, emptied for 2 to 10."""

import itertools
import os
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from fcntl import LOCK_EX, flock
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
from psycopg import sql

from lianban_local import databases, logs

_ROLE_PASSWORD = "only-for-this-run"  # noqa: S105 - of a cluster on loopback that ends with the run
_START_SECONDS = 60.0

_clone_numbers = itertools.count(1)

# Only where there is a row: a TRUNCATE of 34 tables takes 120 ms, this 14. As a replica neither foreign keys nor the guards of
# append-only tables object; whoever holds a lock has survived its test, and this is said instead of waited for.
_EMPTY = """
DO $$
DECLARE
  one regclass;
  has_rows boolean;
BEGIN
  SET LOCAL session_replication_role = replica;
  SET LOCAL lock_timeout = '10s';
  FOR one IN
    SELECT oid FROM pg_class
    WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'
  LOOP
    EXECUTE format('SELECT EXISTS (SELECT FROM %s)', one) INTO has_rows;
    IF has_rows THEN
      EXECUTE format('DELETE FROM %s', one);
    END IF;
  END LOOP;
END $$
"""


class TestPostgres:
    """The PostgreSQL of this test run, shared by its xdist workers.

    ``fsync`` stays on here as everywhere: measured on the build machine it costs 0.15 ms per commit and nothing per
    rollback, too little to run tests on another configuration than the product's.
    """

    __test__ = False

    def __init__(self, admin_url: str, folder: Path) -> None:
        self.admin_url = admin_url
        self._folder = folder
        self._emptying: dict[str, psycopg.Connection] = {}

    def url(self, database: str, role: str) -> str:
        """Of a database for an ordinary role, as services have it; ``admin_url`` is the superuser's."""
        return databases.url_of(self.admin_url, database=database, role=role, password=_ROLE_PASSWORD)

    def create_database(self, name: str, migrate: Callable[[str], None] | None = None) -> str:
        """A fresh database owned by the role ``name``, which is no superuser; returns its URL.

        With ``migrate``, the first call of a run makes a template and passes its URL to ``migrate``; this call and
        all later ones of the same name, from any worker, clone it.
        """
        template = f"{name}_template"
        clone = f"{name}_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}_{next(_clone_numbers)}"
        self._make_once(name, template, migrate)
        with closing(psycopg.connect(self.admin_url, autocommit=True)) as connection:
            # WAL_LOG and not FILE_COPY, which waits for two checkpoints: 50 ms against 80 ms with our schemas.
            connection.execute(
                sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {} STRATEGY WAL_LOG").format(
                    sql.Identifier(clone), sql.Identifier(name), sql.Identifier(template)
                )
            )
        return self.url(clone, role=name)

    def empty(self, url: str) -> None:
        """Delete every row that tests have written, for a database that they use one after the other.

        Sequences run on. Not for a database whose migrations bring rows.
        """
        database = urlsplit(url).path
        if database not in self._emptying:
            # Kept: a login costs more than the deletes.
            admin = urlsplit(self.admin_url)._replace(path=database).geturl()
            self._emptying[database] = psycopg.connect(admin, autocommit=True)
        self._emptying[database].execute(_EMPTY)

    def _make_once(self, name: str, template: str, migrate: Callable[[str], None] | None) -> None:
        done = self._folder / f"{template}.done"
        with (self._folder / f"{template}.lock").open("w") as lock:
            flock(lock, LOCK_EX)
            if done.exists():
                return
            with closing(psycopg.connect(self.admin_url, autocommit=True)) as connection:
                # A migration that failed before must not leave its half for a second try.
                connection.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(template)))
                databases.ensure_role(connection, name, _ROLE_PASSWORD)
                databases.ensure_database(connection, template, owner=name)
            if migrate is not None:
                # In a thread of its own: alembic's environment calls asyncio.run, and a loop may be running here.
                with ThreadPoolExecutor(max_workers=1) as pool:
                    pool.submit(migrate, self.url(template, role=name)).result()
            done.touch()


def shared_postgres(folder: Path) -> TestPostgres:
    """The server of this run, started by whichever worker asks first.

    A small keeper process owns it, because that worker may end before the others; the keeper ends with the run.
    """
    address = folder / "postgres.url"
    with (folder / "postgres.lock").open("w") as lock:
        flock(lock, LOCK_EX)
        if not address.exists():
            _start_keeper(folder, address)
    return TestPostgres(address.read_text(), folder)


def _start_keeper(folder: Path, address: Path) -> None:
    # The keeper outlives no run: below xdist the workers' parent is the run, otherwise we are.
    run = os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()
    log = folder / "keeper.log"
    command = [sys.executable, "-m", "lianban_local.testing.keeper", str(folder), str(run)]
    with logs.appending(log) as stream:
        keeper = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream, start_new_session=True
        )
    give_up = time.monotonic() + _START_SECONDS
    while not address.exists():
        if keeper.poll() is not None or time.monotonic() > give_up:
            raise RuntimeError(f"no PostgreSQL for the tests:\n{logs.tail(log, lines=30)}")
        time.sleep(0.02)
