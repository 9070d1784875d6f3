"""Which schema the code expects, and whether a database has it. Pure: the local platform asks too, before any service runs."""

from pathlib import Path


def migration_head(migrations: Path) -> str:
    """The revision that the code expects: one line in ``migrations/.current-head``."""
    return (migrations / ".current-head").read_text().strip()


def carries(revision: str | None, head: str) -> bool:
    """Whether a database at ``revision`` carries code that expects ``head``; both are zero-padded numbers.

    A database that is ahead does: each migration is compatible with the release before it, whose pods run on while it is
    made and come back in a roll-back. A guard test keeps revisions numbers; ``await_migrations.py`` has the same rule.
    """
    return revision is not None and len(revision) == len(head) and revision >= head
