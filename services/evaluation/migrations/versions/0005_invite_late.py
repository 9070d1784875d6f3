"""A contact about which nobody could be asked keeps whom it served, until somebody becomes known.

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
    op.add_column("invitations", sa.Column("legal_person_id", sa.Uuid(), nullable=True))
    op.add_column("invitations", sa.Column("submitted_sealed", sa.LargeBinary(), nullable=True))
    op.create_index(
        "ix_invitations_uninvited",
        "invitations",
        ["legal_person_id"],
        postgresql_where=sa.text("state = 'UNINVITED'"),
    )


def downgrade() -> None:
    op.drop_index("ix_invitations_uninvited", "invitations")
    op.drop_column("invitations", "submitted_sealed")
    op.drop_column("invitations", "legal_person_id")
