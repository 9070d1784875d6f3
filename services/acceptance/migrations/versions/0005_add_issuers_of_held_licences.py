"""Who issued a licence that somebody holds: nothing is granted by rule without knowing it.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("held_licences", sa.Column("issuer_department_id", sa.Uuid, nullable=True))


def downgrade() -> None:
    op.drop_column("held_licences", "issuer_department_id")
