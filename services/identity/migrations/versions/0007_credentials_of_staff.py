"""New credentials of who holds a high role need a second operator, too"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "role_requests",
        sa.Column(
            "kind",
            sa.Enum("ROLES", "CREDENTIALS", name="requestkind", native_enum=False, length=40),
            server_default="ROLES",
            nullable=False,
        ),
    )
    op.add_column(
        "role_requests",
        sa.Column(
            "reason",
            sa.Enum(
                "FORGOTTEN_PASSWORD",
                "LOST_SECOND_FACTOR",
                "SUSPECTED_MISUSE",
                "BACK_IN_OFFICE",
                name="resetreason",
                native_enum=False,
                length=40,
            ),
            nullable=True,
        ),
    )


def downgrade() -> None:
    op.execute("DELETE FROM role_requests WHERE kind = 'CREDENTIALS'")
    op.drop_column("role_requests", "reason")
    op.drop_column("role_requests", "kind")
