"""Waits until the database has the schema that this image's code expects: the init container of every pod.

A release whose migration failed never starts on the old schema: its pods wait here, the roll-out stands still, and the
pods of the release before it go on. A database that is *ahead* is welcome: revisions are numbered, and each migration is
compatible with the release before it (expand → backfill → contract), so a roll-back starts at once.
"""

import asyncio
import os
import ssl
import sys
from pathlib import Path

import asyncpg

_LOOK_AGAIN_SECONDS = 3.0
_SAY_AGAIN_EVERY = 20

MIGRATION_HEAD = Path("/app/migrations/.current-head")


def is_enough(found: str | None, expected: str) -> bool:
    """Whether a database at revision ``found`` carries code that expects ``expected``. Both are zero-padded numbers.

    As ``service_common.revisions.carries``, by which the same pod is ready later; a guard test compares the two.
    """
    return found is not None and len(found) == len(expected) and found >= expected


async def revision_of(database_url: str) -> str | None:
    """What Alembic noted last; None before the first migration. Raises: OSError, asyncpg.PostgresError."""
    authority = os.environ.get("DATABASE_CA_FILE")
    trust = {"ssl": ssl.create_default_context(cafile=authority)} if authority else {}
    connection = await asyncpg.connect(database_url, timeout=5, **trust)
    try:
        found = await connection.fetchval("SELECT version_num FROM alembic_version", timeout=5)
        return None if found is None else str(found)
    except asyncpg.UndefinedTableError:
        return None
    finally:
        await connection.close(timeout=5)


async def wait(database_url: str, expected: str) -> None:
    """Returns when the database is ready, however long that takes: the roll-out's deadline is Kubernetes' concern."""
    attempt = 0
    while True:
        try:
            found = await revision_of(database_url)
            if is_enough(found, expected):
                say(f"database is at {found}, {expected} is expected: start")
                return
            state = f"database is at {found}, waiting for {expected}"
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            state = f"database does not answer ({type(error).__name__}), waiting for {expected}"
        if attempt % _SAY_AGAIN_EVERY == 0:
            say(state)
        attempt += 1
        await asyncio.sleep(_LOOK_AGAIN_SECONDS)


def say(line: str) -> None:
    """For `kubectl logs -c await-migrations`."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(wait(os.environ["DATABASE_URL"], MIGRATION_HEAD.read_text().strip()))
