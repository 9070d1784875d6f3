"""Which departments may issue a type. Types that are there name none: load the file of types again after this.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "licence_types",
        sa.Column("issuers", JSONB, nullable=False, server_default=sa.text("'[]'::jsonb")),
    )
    op.create_table(
        "issuer_kinds",
        sa.Column("uscc", sa.String(18), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.PrimaryKeyConstraint("uscc", name="pk_issuer_kinds"),
    )


def downgrade() -> None:
    op.drop_table("issuer_kinds")
    op.drop_column("licence_types", "issuers")
