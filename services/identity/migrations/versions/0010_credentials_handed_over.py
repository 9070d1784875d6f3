"""A password that was handed over is changed first; half a log-in does not outlive the credentials it began with"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "accounts", sa.Column("credentials_version", sa.BigInteger(), server_default="0", nullable=False)
    )
    op.add_column(
        "accounts",
        sa.Column("must_change_password", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    op.add_column("interactions", sa.Column("pending_version", sa.BigInteger(), nullable=True))
    op.add_column(
        "interactions",
        sa.Column("pending_methods", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
    )


def downgrade() -> None:
    # Who has shown every factor and not chosen a password yet would count as still to show the second one: they begin again.
    op.execute("UPDATE interactions SET pending_account_id = NULL WHERE pending_methods IS NOT NULL")
    op.drop_column("interactions", "pending_methods")
    op.drop_column("interactions", "pending_version")
    op.drop_column("accounts", "must_change_password")
    op.drop_column("accounts", "credentials_version")
