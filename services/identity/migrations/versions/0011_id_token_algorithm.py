"""A client says with which algorithm its ID tokens are signed"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "clients",
        sa.Column("id_token_signed_response_alg", sa.String(10), server_default="ES256", nullable=False),
    )


def downgrade() -> None:
    op.drop_column("clients", "id_token_signed_response_alg")
