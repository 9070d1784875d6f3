"""Every place where the platform writes, read from disk as somebody would who has stolen it."""

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from mmap import ACCESS_READ, mmap
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from psycopg import sql


def forms(value: str) -> dict[str, bytes]:
    """A value as it may lie in a file: plain, in other encodings, in hex, in base64 at each of its three offsets."""
    plain = value.encode()
    found = {
        "plain": plain,
        "UTF-16LE": value.encode("utf-16-le"),
        "UTF-16BE": value.encode("utf-16-be"),
        "reversed": plain[::-1],
        "hex": plain.hex().encode(),
        "HEX": plain.hex().upper().encode(),
        "reversed hex": plain[::-1].hex().encode(),
        "hex reversed": plain.hex()[::-1].encode(),
    }
    for offset in range(3):
        # Only what the value alone decides: the first and the last group are shared with its neighbours.
        start = -offset % 3
        inner = plain[start : start + (len(plain) - start) // 3 * 3]
        found[f"base64 at {offset}"] = base64.b64encode(inner)
    return found


@dataclass(frozen=True)
class Find:
    """A value in a place."""

    place: str
    where: str
    what: str
    form: str


def search_files(place: str, files: Iterator[Path], values: Mapping[str, str]) -> Iterator[Find]:
    """All forms of all values in these files."""
    needles = [
        (what, form, needle) for what, value in values.items() for form, needle in forms(value).items()
    ]
    for file in files:
        if not file.is_file() or file.stat().st_size == 0:
            continue
        with file.open("rb") as stream, mmap(stream.fileno(), 0, access=ACCESS_READ) as content:
            for what, form, needle in needles:
                if (at := content.find(needle)) >= 0:
                    around = bytes(content[max(at - 80, 0) : at + 80])
                    yield Find(place, f"{file}: …{around!r}…", what, form)


def search_rows(admin_url: str, values: Mapping[str, str]) -> Iterator[Find]:
    """The same in the rows of all databases as PostgreSQL tells them: a large value lies compressed in the files."""
    with psycopg.connect(admin_url, autocommit=True) as admin:
        query = "SELECT datname FROM pg_database WHERE datallowconn AND NOT datistemplate"
        names = [row[0] for row in admin.execute(query)]
    for name in names:
        with psycopg.connect(urlsplit(admin_url)._replace(path=f"/{name}").geturl()) as connection:
            tables = connection.execute(
                "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
            ).fetchall()
            for (table,) in tables:
                for what, form in _in_table(connection, table, values):
                    yield Find("rows", f"{name}.{table}", what, form)


def _in_table(
    connection: "psycopg.Connection[Any]", table: str, values: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    statement = sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(table))
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        content = b"".join(bytes(block) for block in copy)
    for what, value in values.items():
        for form, needle in forms(value).items():
            if needle in content:
                yield what, form


def places(state: Path, postgres: Path) -> dict[str, list[Path]]:
    """All files of a platform's state by kind of place.

    The outbox of text messages is left out: on a machine of developers it is the telephone network.
    """
    database = {path for path in postgres.rglob("*") if path.is_file()}
    wal = {path for path in database if "pg_wal" in path.parts}
    rest = {path for path in state.rglob("*") if path.is_file()} - database - {state / "sms.jsonl"}
    by_folder: dict[str, list[Path]] = {"database files": sorted(database - wal), "WAL": sorted(wal)}
    for path in sorted(rest):
        top = path.relative_to(state).parts[0]
        is_edge = top == "logs" and path.name == "envoy.log"
        by_folder.setdefault("access log" if is_edge else top, []).append(path)
    return by_folder
