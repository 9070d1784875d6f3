"""Who acts for legal persons, and contacts about which nobody can be asked.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "legal_persons",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("representative_id", sa.Uuid(), nullable=True),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_legal_persons"),
    )
    op.create_table(
        "agents",
        sa.Column("legal_person_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("legal_person_id", "person_id", name="pk_agents"),
    )
    op.alter_column("invitations", "person_index", nullable=True)
    op.alter_column("invitations", "person_sealed", nullable=True)
    op.add_column(
        "indicator_counts", sa.Column("uninvited", sa.BigInteger(), nullable=False, server_default="0")
    )


def downgrade() -> None:
    op.drop_column("indicator_counts", "uninvited")
    op.execute("DELETE FROM invitations WHERE person_index IS NULL")
    op.alter_column("invitations", "person_sealed", nullable=False)
    op.alter_column("invitations", "person_index", nullable=False)
    op.drop_table("agents")
    op.drop_table("legal_persons")
