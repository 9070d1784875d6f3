"""Plumbing, departments, numbers, tickets and repeat calls."""

import sqlalchemy as sa
from alembic import op

from service_common.tables import create_plumbing, drop_plumbing

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_plumbing()
    op.create_table(
        "departments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("short_name", sa.String(length=100), nullable=False),
        sa.Column("division", sa.String(length=12), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_departments")),
    )
    op.create_index(op.f("ix_departments_division"), "departments", ["division"], unique=False)
    op.create_table(
        "ticket_serials",
        sa.Column("series", sa.String(length=20), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("series", name=op.f("pk_ticket_serials")),
    )
    op.create_table(
        "tickets",
        sa.Column("number", sa.String(length=22), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("urgency", sa.String(length=40), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("division", sa.String(length=12), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=True),
        sa.Column("recorded_by", sa.String(length=100), nullable=False),
        sa.Column("caller_name", sa.LargeBinary(), nullable=True),
        sa.Column("caller_phone", sa.LargeBinary(), nullable=True),
        sa.Column("caller_phone_index", sa.LargeBinary(), nullable=True),
        sa.Column("caller_protected", sa.Boolean(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=True),
        sa.Column("project_no", sa.String(length=60), nullable=True),
        sa.Column("department_id", sa.Uuid(), nullable=True),
        sa.Column("contact_no", sa.BigInteger(), nullable=False),
        sa.Column("dispatched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sign_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sign_due_date", sa.Date(), nullable=True),
        sa.Column("return_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("handle_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("handle_due_date", sa.Date(), nullable=True),
        sa.Column("calendar_version", sa.String(length=20), nullable=True),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("clock_resets", sa.BigInteger(), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("returns", sa.BigInteger(), nullable=False),
        sa.Column("return_basis", sa.LargeBinary(), nullable=True),
        sa.Column("binding", sa.Boolean(), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered_by", sa.String(length=100), nullable=True),
        sa.Column("answered_directly", sa.Boolean(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("call_attempts", sa.BigInteger(), nullable=False),
        sa.Column("called_back_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reached", sa.Boolean(), nullable=True),
        sa.Column("solved", sa.Boolean(), nullable=True),
        sa.Column("satisfied", sa.Boolean(), nullable=True),
        sa.Column("redos", sa.BigInteger(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_tickets")),
        sa.UniqueConstraint("number", name=op.f("uq_tickets_number")),
    )
    op.create_index("ix_tickets_caller_phone_index", "tickets", ["caller_phone_index"], unique=False)
    op.create_index("ix_tickets_department_id_id", "tickets", ["department_id", "id"], unique=False)
    op.create_index(
        "ix_tickets_division_id",
        "tickets",
        ["division", "id"],
        unique=False,
        postgresql_ops={"division": "text_pattern_ops"},
    )
    op.create_index(
        "ix_tickets_person_id_id",
        "tickets",
        ["person_id", "id"],
        unique=False,
        postgresql_where=sa.text("person_id IS NOT NULL"),
    )
    op.create_table(
        "urges",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ticket_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("channel", sa.String(length=40), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["ticket_id"], ["tickets.id"], name=op.f("fk_urges_ticket_id_tickets")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_urges")),
    )
    op.create_index(op.f("ix_urges_ticket_id"), "urges", ["ticket_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_urges_ticket_id"), table_name="urges")
    op.drop_table("urges")
    op.drop_index(
        "ix_tickets_person_id_id", table_name="tickets", postgresql_where=sa.text("person_id IS NOT NULL")
    )
    op.drop_index(
        "ix_tickets_division_id", table_name="tickets", postgresql_ops={"division": "text_pattern_ops"}
    )
    op.drop_index("ix_tickets_department_id_id", table_name="tickets")
    op.drop_index("ix_tickets_caller_phone_index", table_name="tickets")
    op.drop_table("tickets")
    op.drop_table("ticket_serials")
    op.drop_index(op.f("ix_departments_division"), table_name="departments")
    op.drop_table("departments")
    drop_plumbing()
