"""Plumbing, invitations, reviews, rectifications and indicators."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from service_common.tables import create_plumbing, drop_plumbing

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_plumbing()
    op.create_table(
        "indicator_counts",
        sa.Column("dimension", sa.String(length=40), nullable=False),
        sa.Column("key", sa.String(length=60), nullable=False),
        sa.Column("period", sa.String(length=7), nullable=False),
        sa.Column("contacts", sa.BigInteger(), nullable=False),
        sa.Column("defaults", sa.BigInteger(), nullable=False),
        sa.Column("very_satisfied", sa.BigInteger(), nullable=False),
        sa.Column("satisfied", sa.BigInteger(), nullable=False),
        sa.Column("basically_satisfied", sa.BigInteger(), nullable=False),
        sa.Column("dissatisfied", sa.BigInteger(), nullable=False),
        sa.Column("very_dissatisfied", sa.BigInteger(), nullable=False),
        sa.Column("rectifications", sa.BigInteger(), nullable=False),
        sa.Column("rectified", sa.BigInteger(), nullable=False),
        sa.Column("rectified_on_time", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("dimension", "key", "period", name=op.f("pk_indicator_counts")),
    )
    op.create_index(
        "ix_indicator_counts_dimension_period", "indicator_counts", ["dimension", "period"], unique=False
    )
    op.create_table(
        "invitations",
        sa.Column("contact_kind", sa.String(length=40), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("contact_no", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.String(length=60), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.Column("division", sa.String(length=12), nullable=False),
        sa.Column("item_code", sa.String(length=60), nullable=True),
        sa.Column("item_name", sa.String(length=300), nullable=True),
        sa.Column("period", sa.String(length=7), nullable=False),
        sa.Column("person_index", sa.LargeBinary(), nullable=False),
        sa.Column("person_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("state", sa.String(length=40), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_invitations")),
        sa.UniqueConstraint(
            "contact_kind",
            "contact_id",
            "contact_no",
            name=op.f("uq_invitations_contact_kind_contact_id_contact_no"),
        ),
    )
    op.create_index(
        "ix_invitations_expires_at",
        "invitations",
        ["expires_at"],
        unique=False,
        postgresql_where=sa.text("state = 'OPEN'"),
    )
    op.create_index("ix_invitations_person_index_id", "invitations", ["person_index", "id"], unique=False)
    op.create_table(
        "reviews",
        sa.Column("invitation_id", sa.Uuid(), nullable=False),
        sa.Column("contact_kind", sa.String(length=40), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=False),
        sa.Column("contact_no", sa.BigInteger(), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.Column("division", sa.String(length=12), nullable=False),
        sa.Column("item_code", sa.String(length=60), nullable=True),
        sa.Column("item_name", sa.String(length=300), nullable=True),
        sa.Column("period", sa.String(length=7), nullable=False),
        sa.Column("grade", sa.String(length=40), nullable=False),
        sa.Column("reasons", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=True),
        sa.Column("reviewer_index", sa.LargeBinary(), nullable=False),
        sa.Column("reviewer_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["invitation_id"], ["invitations.id"], name=op.f("fk_reviews_invitation_id_invitations")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviews")),
        sa.UniqueConstraint(
            "contact_kind",
            "contact_id",
            "contact_no",
            "reviewer_index",
            name=op.f("uq_reviews_contact_kind_contact_id_contact_no_reviewer_index"),
        ),
        sa.UniqueConstraint("invitation_id", name=op.f("uq_reviews_invitation_id")),
    )
    op.create_index("ix_reviews_department_id_id", "reviews", ["department_id", "id"], unique=False)
    op.create_index("ix_reviews_reviewer_index_id", "reviews", ["reviewer_index", "id"], unique=False)
    op.create_table(
        "rectifications",
        sa.Column("review_id", sa.Uuid(), nullable=False),
        sa.Column("invitation_id", sa.Uuid(), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.Column("division", sa.String(length=12), nullable=False),
        sa.Column("item_code", sa.String(length=60), nullable=True),
        sa.Column("grade", sa.String(length=40), nullable=False),
        sa.Column("reasons", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=True),
        sa.Column("stage", sa.String(length=40), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("assign_due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("assign_due_date", sa.Date(), nullable=False),
        sa.Column("contact_due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("contact_due_date", sa.Date(), nullable=False),
        sa.Column("rectify_due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rectify_due_date", sa.Date(), nullable=False),
        sa.Column("calendar_version", sa.String(length=20), nullable=False),
        sa.Column("provisional", sa.Boolean(), nullable=False),
        sa.Column("overdue", sa.Boolean(), nullable=False),
        sa.Column("overdue_stage", sa.String(length=40), nullable=True),
        sa.Column("assignee", sa.String(length=100), nullable=True),
        sa.Column("assigned_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("message", sa.LargeBinary(), nullable=True),
        sa.Column("contacted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("re_review_satisfied", sa.Boolean(), nullable=True),
        sa.Column("outcome", sa.String(length=40), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["review_id"], ["reviews.id"], name=op.f("fk_rectifications_review_id_reviews")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rectifications")),
        sa.UniqueConstraint("review_id", name=op.f("uq_rectifications_review_id")),
    )
    op.create_index(
        "ix_rectifications_department_id_id", "rectifications", ["department_id", "id"], unique=False
    )
    op.create_index(
        "ix_rectifications_division_id",
        "rectifications",
        ["division", "id"],
        unique=False,
        postgresql_ops={"division": "text_pattern_ops"},
    )
    op.create_index(
        "ix_rectifications_running",
        "rectifications",
        ["stage", "rectify_due_at"],
        unique=False,
        postgresql_where=sa.text("stage IN ('OPENED', 'ASSIGNED', 'CONTACTED')"),
    )


def downgrade() -> None:
    op.drop_index(
        "ix_rectifications_running",
        table_name="rectifications",
        postgresql_where=sa.text("stage IN ('OPENED', 'ASSIGNED', 'CONTACTED')"),
    )
    op.drop_index(
        "ix_rectifications_division_id",
        table_name="rectifications",
        postgresql_ops={"division": "text_pattern_ops"},
    )
    op.drop_index("ix_rectifications_department_id_id", table_name="rectifications")
    op.drop_table("rectifications")
    op.drop_index("ix_reviews_reviewer_index_id", table_name="reviews")
    op.drop_index("ix_reviews_department_id_id", table_name="reviews")
    op.drop_table("reviews")
    op.drop_index("ix_invitations_person_index_id", table_name="invitations")
    op.drop_index(
        "ix_invitations_expires_at", table_name="invitations", postgresql_where=sa.text("state = 'OPEN'")
    )
    op.drop_table("invitations")
    op.drop_index("ix_indicator_counts_dimension_period", table_name="indicator_counts")
    op.drop_table("indicator_counts")
    drop_plumbing()
