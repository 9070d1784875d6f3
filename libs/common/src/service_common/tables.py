"""The tables of the plumbing, owned by each service: every one has its own copy in its own database.

A service attaches them to its metadata (``attach_plumbing(Base.metadata)``), so that Alembic sees them, and
creates them in its first migration with ``create_plumbing()``.
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from service_common.db import SEALED, service_metadata

PLUMBING = service_metadata()

outbox = Table(
    "outbox",
    PLUMBING,
    Column("id", Uuid, primary_key=True),
    Column("subject", String(200), nullable=False),
    Column("aggregate_id", Uuid, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("event", JSONB, nullable=False),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("sent_at", DateTime(timezone=True)),
    Column("stream_sequence", BigInteger),
    Index("ix_outbox_unsent", "id", postgresql_where=text("sent_at IS NULL")),
    Index("ix_outbox_sent_at", "sent_at", postgresql_where=text("sent_at IS NOT NULL")),
    Index("ix_outbox_stream_sequence", "stream_sequence"),
)

processed_events = Table(
    "processed_events",
    PLUMBING,
    Column("consumer", String(100), primary_key=True),
    Column("event_id", Uuid, primary_key=True),
    Column("processed_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Index("ix_processed_events_processed_at", "processed_at"),
)

aggregate_positions = Table(
    "aggregate_positions",
    PLUMBING,
    Column("consumer", String(100), primary_key=True),
    Column("aggregate_id", Uuid, primary_key=True),
    Column("revision", BigInteger, nullable=False),
)

dead_events = Table(
    "dead_events",
    PLUMBING,
    Column("id", BigInteger, primary_key=True, autoincrement=True),
    Column("consumer", String(100), nullable=False),
    Column("event_id", Uuid),
    Column("subject", String(200), nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("error", Text, nullable=False),
    Column("tries", Integer, nullable=False),
    Column("died_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Column("replayed_at", DateTime(timezone=True)),
    UniqueConstraint("consumer", "event_id"),
)

idempotency_keys = Table(
    "idempotency_keys",
    PLUMBING,
    Column("subject_id", String(100), primary_key=True),
    Column("key", String(200), primary_key=True),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("status", Integer, nullable=False),
    Column("headers", JSONB, nullable=False),
    Column("body", LargeBinary, nullable=False, info={SEALED: "idempotency_keys.body"}),
    Column("created_at", DateTime(timezone=True), nullable=False, server_default=func.now()),
    Index("ix_idempotency_keys_created_at", "created_at"),
)

timeline_entries = Table(
    "timeline_entries",
    PLUMBING,
    Column("aggregate_id", Uuid, primary_key=True),
    Column("sequence", Integer, primary_key=True),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("action", String(60), nullable=False),
    Column("actor_kind", String(20), nullable=False),
    Column("actor_id", String(100), nullable=False),
    Column("facts", JSONB, nullable=False),
    Column("previous_hash", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
)

_NOTIFY_OUTBOX = (
    """
    CREATE FUNCTION notify_outbox() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      PERFORM pg_notify('outbox', '');
      RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER outbox_wakes_relay AFTER INSERT ON outbox
      FOR EACH STATEMENT EXECUTE FUNCTION notify_outbox()
    """,
)

# History that binds the government is never edited, not even by the service itself.
_APPEND_ONLY = (
    """
    CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      RAISE EXCEPTION 'the timeline is append-only' USING ERRCODE = 'restrict_violation';
    END $$
    """,
    """
    CREATE TRIGGER timeline_is_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON timeline_entries
      FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()
    """,
)


# Came later, so it is not among the tables of a service's first migration, which must stay what it was.
_LATER = service_metadata()

seen_proofs = Table(
    "seen_proofs",
    _LATER,
    Column("proof_hash", LargeBinary, primary_key=True),
    Column("expires_at", DateTime(timezone=True), nullable=False),
    Index("ix_seen_proofs_expires_at", "expires_at"),
)


# Only of services that count working days; acceptance, which loads the notices, has more columns in its own.
_CALENDAR = service_metadata()

calendar_notices = Table(
    "calendar_notices",
    _CALENDAR,
    Column("version", String(20), primary_key=True),
    Column("year", BigInteger, nullable=False),
    Column("source", String(200), nullable=False),
    Column("amends", Boolean, nullable=False),
    Column("days", JSONB, nullable=False),
)


def attach_calendar(metadata: MetaData) -> None:
    """Copies the table of holiday notices into the metadata of a service that hears of them."""
    calendar_notices.to_metadata(metadata)


def create_calendar() -> None:
    """For a migration: where the holiday notices that were heard of are kept."""
    from alembic import op  # noqa: PLC0415 - see ``create_plumbing``

    calendar_notices.create(op.get_bind())


def drop_calendar() -> None:
    """Undoes ``create_calendar``."""
    from alembic import op  # noqa: PLC0415 - see ``create_plumbing``

    calendar_notices.drop(op.get_bind())


def attach_plumbing(metadata: MetaData) -> None:
    """Copies the plumbing's tables into a service's metadata."""
    for table in (*PLUMBING.sorted_tables, seen_proofs):
        table.to_metadata(metadata)


def create_seen_proofs() -> None:
    """For a migration: where proofs of possession are remembered (RFC 9449)."""
    from alembic import op  # noqa: PLC0415 - see ``create_plumbing``

    seen_proofs.create(op.get_bind())


def drop_seen_proofs() -> None:
    """Undoes ``create_seen_proofs``."""
    from alembic import op  # noqa: PLC0415 - see ``create_plumbing``

    seen_proofs.drop(op.get_bind())


def create_plumbing() -> None:
    """For a service's first migration: the tables, the wake-up of the relay, the append-only guard."""
    # Here, because alembic would add 0.1 s to the start of every process, and only migrations need it.
    from alembic import op  # noqa: PLC0415

    PLUMBING.create_all(op.get_bind(), checkfirst=False)
    for statement in (*_NOTIFY_OUTBOX, *_APPEND_ONLY):
        op.execute(statement)


def drop_plumbing() -> None:
    """Undoes ``create_plumbing``."""
    from alembic import op  # noqa: PLC0415 - see ``create_plumbing``

    PLUMBING.drop_all(op.get_bind())
    op.execute("DROP FUNCTION IF EXISTS notify_outbox")
    op.execute("DROP FUNCTION IF EXISTS refuse_change")
