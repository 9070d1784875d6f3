"""Add who showed a licence"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("licence_uses", sa.Column("shown_by", sa.Uuid))


def downgrade() -> None:
    op.drop_column("licence_uses", "shown_by")
