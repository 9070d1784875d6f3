"""Plumbing, catalogue and its search."""

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
        "catalogue_imports",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("imported_by", sa.String(length=120), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("rows_total", sa.BigInteger(), nullable=False),
        sa.Column("rows_new", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalogue_imports")),
    )
    op.create_index(
        "ix_catalogue_imports_kind_content_hash", "catalogue_imports", ["kind", "content_hash"], unique=False
    )
    op.create_table(
        "catalogue_reviews",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("entry_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("entry_version", sa.BigInteger(), nullable=False),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("reviewed_by", sa.String(length=120), nullable=False),
        sa.Column("reviewed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("compiled_elements", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_catalogue_reviews")),
    )
    op.create_index(
        "ix_catalogue_reviews_kind_code", "catalogue_reviews", ["kind", "code", "entry_version"], unique=False
    )
    op.create_table(
        "department_codes",
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=True),
        sa.Column("division", sa.String(length=12), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_department_codes")),
    )
    op.create_table(
        "departments",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("uscc", sa.String(length=18), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("short_name", sa.String(length=100), nullable=False),
        sa.Column("division", sa.String(length=12), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_departments")),
    )
    op.create_index("ix_departments_division", "departments", ["division"], unique=False)
    op.create_index("ix_departments_uscc", "departments", ["uscc"], unique=False)
    op.create_table(
        "search_entries",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_search_entries")),
        sa.UniqueConstraint("kind", "key", name=op.f("uq_search_entries_kind_key")),
    )
    op.create_table(
        "search_synonyms",
        sa.Column("word", sa.String(length=40), nullable=False),
        sa.Column("means", postgresql.ARRAY(sa.Text()), nullable=False),
        sa.PrimaryKeyConstraint("word", name=op.f("pk_search_synonyms")),
    )
    op.create_table(
        "themes",
        sa.Column("code", sa.String(length=20), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("region_guides", sa.BigInteger(), nullable=False),
        sa.Column("distinct_versions", sa.BigInteger(), nullable=False),
        sa.Column("has_guide", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_themes")),
    )
    op.create_table(
        "bundles",
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("division", sa.String(length=12), nullable=False),
        sa.Column("lead_department", sa.String(length=40), nullable=False),
        sa.Column("lead_department_id", sa.Uuid(), nullable=True),
        sa.Column("item_codes", postgresql.ARRAY(sa.String(length=64)), nullable=False),
        sa.Column("offered_in", postgresql.ARRAY(sa.String(length=12)), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("entry_version", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("definition", postgresql.JSONB(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("compiled_elements", postgresql.JSONB(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("brought_in_by", sa.String(length=120), nullable=False),
        sa.Column("submitted_by", sa.String(length=120), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"], ["catalogue_imports.id"], name=op.f("fk_bundles_import_id_catalogue_imports")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bundles")),
        sa.UniqueConstraint("code", "entry_version", name=op.f("uq_bundles_code_entry_version")),
    )
    op.create_index(op.f("ix_bundles_import_id"), "bundles", ["import_id"], unique=False)
    op.create_index("ix_bundles_item_codes", "bundles", ["item_codes"], unique=False, postgresql_using="gin")
    op.create_index(
        "ix_bundles_published_code",
        "bundles",
        ["code"],
        unique=True,
        postgresql_where=sa.text("state = 'PUBLISHED'"),
    )
    op.create_table(
        "reference_lists",
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("entry_version", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("definition", postgresql.JSONB(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("compiled_elements", postgresql.JSONB(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("brought_in_by", sa.String(length=120), nullable=False),
        sa.Column("submitted_by", sa.String(length=120), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"],
            ["catalogue_imports.id"],
            name=op.f("fk_reference_lists_import_id_catalogue_imports"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reference_lists")),
        sa.UniqueConstraint("code", "entry_version", name=op.f("uq_reference_lists_code_entry_version")),
    )
    op.create_index(op.f("ix_reference_lists_import_id"), "reference_lists", ["import_id"], unique=False)
    op.create_index(
        "ix_reference_lists_published_code",
        "reference_lists",
        ["code"],
        unique=True,
        postgresql_where=sa.text("state = 'PUBLISHED'"),
    )
    op.create_table(
        "search_offers",
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("division", sa.String(length=12), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("entry_version", sa.BigInteger(), nullable=True),
        sa.Column("department_id", sa.Uuid(), nullable=True),
        sa.Column("applicant_kinds", postgresql.ARRAY(sa.String(length=20)), nullable=False),
        sa.Column("has_guide", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"],
            ["search_entries.id"],
            name=op.f("fk_search_offers_entry_id_search_entries"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("entry_id", "division", "code", name=op.f("pk_search_offers")),
    )
    op.create_index("ix_search_offers_code", "search_offers", ["code"], unique=False)
    op.create_table(
        "search_postings",
        sa.Column("token", sa.String(length=130), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("weight", sa.REAL(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"],
            ["search_entries.id"],
            name=op.f("fk_search_postings_entry_id_search_entries"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("token", "entry_id", name=op.f("pk_search_postings")),
    )
    op.create_index("ix_search_postings_entry_id", "search_postings", ["entry_id"], unique=False)
    op.create_table(
        "service_items",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("item_type", sa.String(length=2), nullable=True),
        sa.Column("department", sa.String(length=40), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=True),
        sa.Column("division", sa.String(length=12), nullable=False),
        sa.Column("applicant_kinds", postgresql.ARRAY(sa.String(length=20)), nullable=False),
        sa.Column("completeness", sa.String(length=20), nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("entry_version", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(40), nullable=False),
        sa.Column("definition", postgresql.JSONB(), nullable=False),
        sa.Column("content_hash", sa.LargeBinary(), nullable=False),
        sa.Column("compiled_elements", postgresql.JSONB(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("brought_in_by", sa.String(length=120), nullable=False),
        sa.Column("submitted_by", sa.String(length=120), nullable=True),
        sa.Column("published_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("retired_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("import_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["import_id"], ["catalogue_imports.id"], name=op.f("fk_service_items_import_id_catalogue_imports")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_items")),
        sa.UniqueConstraint("code", "entry_version", name=op.f("uq_service_items_code_entry_version")),
    )
    op.create_index(op.f("ix_service_items_import_id"), "service_items", ["import_id"], unique=False)
    op.create_index(
        "ix_service_items_published_code",
        "service_items",
        ["code"],
        unique=True,
        postgresql_where=sa.text("state = 'PUBLISHED'"),
    )
    op.create_index(
        "ix_service_items_published_department_id",
        "service_items",
        ["department_id", "code"],
        unique=False,
        postgresql_where=sa.text("state = 'PUBLISHED'"),
    )
    op.create_index(
        "ix_service_items_published_division",
        "service_items",
        ["division", "code"],
        unique=False,
        postgresql_where=sa.text("state = 'PUBLISHED'"),
    )


def downgrade() -> None:
    op.drop_table("service_items")
    op.drop_table("search_postings")
    op.drop_table("search_offers")
    op.drop_table("reference_lists")
    op.drop_table("bundles")
    op.drop_table("themes")
    op.drop_table("search_synonyms")
    op.drop_table("search_entries")
    op.drop_table("departments")
    op.drop_table("department_codes")
    op.drop_table("catalogue_reviews")
    op.drop_table("catalogue_imports")
    drop_plumbing()
