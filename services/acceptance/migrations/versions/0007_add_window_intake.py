"""Add intake at the window: how an application was handed in, and what presence a clerk acts by."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "applications", sa.Column("channel", sa.String(length=40), nullable=False, server_default="ONLINE")
    )
    op.add_column("applications", sa.Column("taken_in_by", sa.Uuid(), nullable=True))
    op.add_column("applications", sa.Column("window_department_id", sa.Uuid(), nullable=True))
    op.alter_column("access_records", "case_id", nullable=True)
    op.create_table(
        "window_sittings",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("legal_person_id", sa.Uuid(), nullable=True),
        sa.Column("trust_level", sa.SmallInteger(), nullable=False),
        sa.Column("method", sa.String(length=40), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.Column("division", sa.String(length=12), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["applications.id"],
            name=op.f("fk_window_sittings_application_id_applications"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_window_sittings")),
    )
    op.create_index("ix_window_sittings_application", "window_sittings", ["application_id", "ends_at"])
    op.create_index(
        "ix_window_sittings_hall", "window_sittings", ["department_id", "division", "application_id"]
    )


def downgrade() -> None:
    op.drop_table("window_sittings")
    op.execute("DELETE FROM access_records WHERE case_id IS NULL")
    op.alter_column("access_records", "case_id", nullable=False)
    op.drop_column("applications", "window_department_id")
    op.drop_column("applications", "taken_in_by")
    op.drop_column("applications", "channel")
