"""Staff by department, for site checks; the period of a supplement, so that its deadline can be counted again.

Cases accepted with gaps before this keep the deadline that they have.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "staff",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_staff"),
    )
    op.add_column("service_cases", sa.Column("supplement_workdays", sa.BigInteger(), nullable=True))


def downgrade() -> None:
    op.drop_column("service_cases", "supplement_workdays")
    op.drop_table("staff")
