"""Keep holiday notices, and what a ticket's deadlines follow from, so that they can be counted again.

Tickets dispatched before this keep the deadlines that they have: their limits were not kept.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from service_common.tables import create_calendar, drop_calendar

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_UNDER_CLOCK = sa.text("status IN ('DISPATCHED', 'SIGNED', 'RETURNED', 'DISPUTED')")


def upgrade() -> None:
    create_calendar()
    op.add_column("tickets", sa.Column("clocks", JSONB, nullable=True))
    op.create_index(
        "ix_tickets_under_clock",
        "tickets",
        ["calendar_version", "id"],
        unique=False,
        postgresql_where=_UNDER_CLOCK,
    )


def downgrade() -> None:
    op.drop_index("ix_tickets_under_clock", table_name="tickets", postgresql_where=_UNDER_CLOCK)
    op.drop_column("tickets", "clocks")
    drop_calendar()
