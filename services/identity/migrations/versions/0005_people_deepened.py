"""Levels, documents, passkeys, identity codes"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _sessions_say_where()


def downgrade() -> None:
    for column in ("created_at", "place", "device"):
        op.drop_column("login_sessions", column)


def _sessions_say_where() -> None:
    op.add_column("login_sessions", sa.Column("device", sa.String(length=80), nullable=True))
    op.add_column("login_sessions", sa.Column("place", sa.String(length=60), nullable=True))
    op.add_column(
        "login_sessions",
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    )
