"""Digests of what identity has verified about who applies: a form is held to them when it is handed in.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("applications", sa.Column("verified_values", JSONB, nullable=True))


def downgrade() -> None:
    op.drop_column("applications", "verified_values")
