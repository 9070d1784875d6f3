"""One database and one login role per service, on whatever PostgreSQL the admin URL names."""

import re
from urllib.parse import urlsplit, urlunsplit

import psycopg
from psycopg import sql

PREFIX = "lianban_"
"""Of databases and roles, so that a server shared with others shows whose they are."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")


def url_of(admin_url: str, *, database: str, role: str, password: str) -> str:
    """The URL of a role's database on the server of ``admin_url``."""
    server = urlsplit(admin_url)
    host = f"{server.hostname}:{server.port}" if server.port else f"{server.hostname}"
    return urlunsplit(("postgresql", f"{role}:{password}@{host}", f"/{database}", server.query, ""))


def ensure_role(connection: psycopg.Connection, role: str, password: str) -> None:
    """A login role with this password and no right beyond what it owns. Safe to repeat."""
    exists = connection.execute("SELECT FROM pg_roles WHERE rolname = %s", (role,)).fetchone()
    verb = sql.SQL("CREATE" if exists is None else "ALTER")
    connection.execute(
        sql.SQL("{} ROLE {} LOGIN PASSWORD {}").format(verb, _identifier(role), sql.Literal(password))
    )
    # An admin that is no superuser may only give away databases to roles it belongs to.
    connection.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(_identifier(role)))


def ensure_database(connection: psycopg.Connection, database: str, owner: str) -> bool:
    """A UTF-8 database of this owner that nobody else may enter; whether it is new. Safe to repeat.

    The locale is stated: an existing server's default may be ``C``, in which pg_trgm sees no Chinese.
    """
    exists = connection.execute("SELECT FROM pg_database WHERE datname = %s", (database,)).fetchone()
    if exists is None:
        connection.execute(
            sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C.UTF-8'").format(
                _identifier(database), _identifier(owner)
            )
        )
    connection.execute(sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC").format(_identifier(database)))
    return exists is None


def ensure_service(admin_url: str, service: str, password: str) -> tuple[str, bool]:
    """Role and database of one service; returns its URL, and whether the database is new."""
    name = f"{PREFIX}{service}"
    with psycopg.connect(admin_url, autocommit=True) as connection:
        ensure_role(connection, name, password)
        is_new = ensure_database(connection, name, owner=name)
    return url_of(admin_url, database=name, role=name, password=password), is_new


def migrated_to(database_url: str) -> str | None:
    """The revision that alembic noted in this database, in whatever schema; None when it never ran."""
    with psycopg.connect(database_url) as connection:
        row = connection.execute(
            "SELECT schemaname FROM pg_tables WHERE tablename = 'alembic_version' LIMIT 1"
        ).fetchone()
        if row is None:
            return None
        table = sql.Identifier(row[0], "alembic_version")
        revision = connection.execute(sql.SQL("SELECT version_num FROM {}").format(table)).fetchone()
        return None if revision is None else str(revision[0])


def _identifier(name: str) -> sql.Identifier:
    if not _NAME.fullmatch(name):
        raise ValueError(f"not a name for a database or role: {name!r}")
    return sql.Identifier(name)
