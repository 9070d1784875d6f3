"""One licence per case of its issuer: a department that names another one's case keeps nothing from it.

Revision ID: 0004
Revises: 0003
"""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.drop_constraint("uq_licences_case_id", "licences", type_="unique")
    op.create_unique_constraint(
        "uq_licences_issuer_department_id_case_id", "licences", ["issuer_department_id", "case_id"]
    )


def downgrade() -> None:
    op.drop_constraint("uq_licences_issuer_department_id_case_id", "licences", type_="unique")
    op.create_unique_constraint("uq_licences_case_id", "licences", ["case_id"])
