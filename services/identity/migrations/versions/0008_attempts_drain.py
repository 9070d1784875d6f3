"""Attempts drain one by one; a browser is found without the account"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "attempts",
        sa.Column("drained_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
    )
    op.create_index("ix_known_browsers_browser_hash", "known_browsers", ["browser_hash"])


def downgrade() -> None:
    op.drop_index("ix_known_browsers_browser_hash", "known_browsers")
    op.drop_column("attempts", "drained_at")
