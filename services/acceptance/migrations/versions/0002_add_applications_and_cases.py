"""Applications, cases, supervision, files, numbers, calendars."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "applications",
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("subject_code", sa.String(length=80), nullable=False),
        sa.Column("bundle_code", sa.String(length=80), nullable=True),
        sa.Column("bundle_version", sa.BigInteger(), nullable=True),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("division", sa.String(length=12), nullable=False),
        sa.Column("lead_department_id", sa.Uuid(), nullable=False),
        sa.Column("answers", JSONB, nullable=False),
        sa.Column("promises", JSONB, nullable=False),
        sa.Column("tolerance_promised", sa.Boolean(), nullable=False),
        sa.Column("delivery", sa.String(length=40), nullable=False),
        sa.Column("in_addition", sa.Boolean(), nullable=False),
        sa.Column("applicant_kind", sa.String(length=40), nullable=False),
        sa.Column("applicant_id", sa.Uuid(), nullable=False),
        sa.Column("submitted_by", sa.Uuid(), nullable=False),
        sa.Column("applicant_profile", sa.LargeBinary(), nullable=True),
        sa.Column("applicant_masked", sa.String(length=60), nullable=True),
        sa.Column("number", sa.String(length=50), nullable=True),
        sa.Column("query_number", sa.String(length=13), nullable=True),
        sa.Column("query_password_hash", sa.LargeBinary(), nullable=True),
        sa.Column("form_revision", sa.BigInteger(), nullable=False),
        sa.Column("items_with_applicant", JSONB, nullable=False),
        sa.Column("form_schema", JSONB, nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("promised_due_on", sa.Date(), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_applications")),
        sa.UniqueConstraint("number", name=op.f("uq_applications_number")),
        sa.UniqueConstraint("query_number", name=op.f("uq_applications_query_number")),
    )
    op.create_index("ix_applications_applicant", "applications", ["applicant_id", "id"], unique=False)
    op.create_index(
        "uq_applications_one_open",
        "applications",
        ["applicant_id", "subject_code", "division"],
        unique=True,
        postgresql_where=sa.text("closed_at IS NULL AND NOT in_addition"),
    )
    op.create_table(
        "blobs",
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("object_key", sa.String(length=60), nullable=False),
        sa.Column("sealed_key", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("media_type", sa.String(length=100), nullable=False),
        sa.Column("scan", sa.String(length=20), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("address", name=op.f("pk_blobs")),
        sa.UniqueConstraint("object_key", name=op.f("uq_blobs_object_key")),
    )
    op.create_table(
        "calendar_notices",
        sa.Column("version", sa.String(length=20), nullable=False),
        sa.Column("year", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(length=200), nullable=False),
        sa.Column("amends", sa.Boolean(), nullable=False),
        sa.Column("days", JSONB, nullable=False),
        sa.Column("loaded_by", sa.String(length=100), nullable=False),
        sa.Column("loaded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("version", name=op.f("pk_calendar_notices")),
    )
    op.create_table(
        "counters",
        sa.Column("series", sa.String(length=200), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("series", name=op.f("pk_counters")),
    )
    op.create_table(
        "held_licences",
        sa.Column("licence_id", sa.Uuid(), nullable=False),
        sa.Column("identifier", sa.String(length=120), nullable=False),
        sa.Column("type_code", sa.String(length=21), nullable=False),
        sa.Column("type_name", sa.String(length=120), nullable=False),
        sa.Column("holder_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(length=20), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("licence_id", name=op.f("pk_held_licences")),
    )
    op.create_index("ix_held_licences_holder", "held_licences", ["holder_id", "type_code"], unique=False)
    op.create_table(
        "lookup_failures",
        sa.Column("number_hash", sa.LargeBinary(), nullable=False),
        sa.Column("failures", sa.BigInteger(), nullable=False),
        sa.Column("window_started_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("number_hash", name=op.f("pk_lookup_failures")),
    )
    op.create_index(
        "ix_lookup_failures_window_started_at", "lookup_failures", ["window_started_at"], unique=False
    )
    op.create_table(
        "query_numbers",
        sa.Column("number", sa.String(length=13), nullable=False),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_query_numbers")),
    )
    op.create_table(
        "access_records",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor_kind", sa.String(length=20), nullable=False),
        sa.Column("actor_id", sa.String(length=100), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=True),
        sa.Column("what", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["applications.id"],
            name=op.f("fk_access_records_application_id_applications"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_access_records")),
    )
    op.create_index("ix_access_records_application", "access_records", ["application_id", "id"], unique=False)
    op.create_table(
        "application_forms",
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("saved_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("saved_by", sa.Uuid(), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["applications.id"],
            name=op.f("fk_application_forms_application_id_applications"),
        ),
        sa.PrimaryKeyConstraint("application_id", "revision", name=op.f("pk_application_forms")),
    )
    op.create_table(
        "application_materials",
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.String(length=60), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("required", sa.Boolean(), nullable=False),
        sa.Column("items", JSONB, nullable=False),
        sa.Column("tolerated_in", JSONB, nullable=False),
        sa.Column("ways", JSONB, nullable=False),
        sa.Column("formats", JSONB, nullable=False),
        sa.Column("provision", sa.String(length=40), nullable=False),
        sa.Column("licence_id", sa.Uuid(), nullable=True),
        sa.Column("facts", JSONB, nullable=False),
        sa.Column("provided_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["applications.id"],
            name=op.f("fk_application_materials_application_id_applications"),
        ),
        sa.PrimaryKeyConstraint("application_id", "code", name=op.f("pk_application_materials")),
    )
    op.create_table(
        "files",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.LargeBinary(), nullable=False),
        sa.Column("uploaded_by", sa.String(length=100), nullable=False),
        sa.Column("upload_key", sa.String(length=200), nullable=False),
        sa.Column("application_id", sa.Uuid(), nullable=True),
        sa.Column("material_code", sa.String(length=60), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["address"], ["blobs.address"], name=op.f("fk_files_address_blobs")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_files")),
        sa.UniqueConstraint("uploaded_by", "upload_key", name=op.f("uq_files_uploaded_by_upload_key")),
    )
    op.create_index("ix_files_address", "files", ["address"], unique=False)
    op.create_index(
        "ix_files_application_id",
        "files",
        ["application_id"],
        unique=False,
        postgresql_where=sa.text("application_id IS NOT NULL"),
    )
    op.create_index(
        "ix_files_orphans",
        "files",
        ["created_at"],
        unique=False,
        postgresql_where=sa.text("application_id IS NULL"),
    )
    op.create_table(
        "service_cases",
        sa.Column("application_id", sa.Uuid(), nullable=False),
        sa.Column("project_no", sa.String(length=50), nullable=False),
        sa.Column("item_code", sa.String(length=80), nullable=False),
        sa.Column("item_version", sa.BigInteger(), nullable=False),
        sa.Column("item_name", sa.String(length=300), nullable=False),
        sa.Column("project_type", sa.String(length=40), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.Column("division", sa.String(length=12), nullable=False),
        sa.Column("applicant_kind", sa.String(length=40), nullable=False),
        sa.Column("applicant_id", sa.Uuid(), nullable=False),
        sa.Column("applicant_masked", sa.String(length=60), nullable=True),
        sa.Column("submitted_by", sa.Uuid(), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("waits_for", JSONB, nullable=False),
        sa.Column("waits_for_any", sa.Boolean(), nullable=False),
        sa.Column("form_revision", sa.BigInteger(), nullable=False),
        sa.Column("contact_no", sa.BigInteger(), nullable=False),
        sa.Column("claimed_by", sa.String(length=100), nullable=True),
        sa.Column("submitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("intake_received_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("intake_due_on", sa.Date(), nullable=True),
        sa.Column("intake_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("correction_noticed", sa.Boolean(), nullable=False),
        sa.Column("correction_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("supplement_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deemed_accepted", sa.Boolean(), nullable=False),
        sa.Column("tolerance", sa.Boolean(), nullable=False),
        sa.Column("promise", sa.Boolean(), nullable=False),
        sa.Column("limits", JSONB, nullable=False),
        sa.Column("clock", JSONB, nullable=True),
        sa.Column("statutory_due_on", sa.Date(), nullable=True),
        sa.Column("statutory_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("promised_due_on", sa.Date(), nullable=True),
        sa.Column("promised_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("calendar_version", sa.String(length=20), nullable=True),
        sa.Column("due_provisional", sa.Boolean(), nullable=False),
        sa.Column("notify_promise", sa.Boolean(), nullable=False),
        sa.Column("four_eyes", sa.Boolean(), nullable=False),
        sa.Column("instant_rule", sa.String(length=60), nullable=True),
        sa.Column("licence_type_code", sa.String(length=21), nullable=True),
        sa.Column("result_name", sa.String(length=200), nullable=True),
        sa.Column("first_opinion", JSONB, nullable=True),
        sa.Column("outcome", sa.String(length=40), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.String(length=100), nullable=True),
        sa.Column("instant", sa.Boolean(), nullable=False),
        sa.Column("delivery_due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("licence_id", sa.Uuid(), nullable=True),
        sa.Column("licence_identifier", sa.String(length=120), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sweep_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["application_id"], ["applications.id"], name=op.f("fk_service_cases_application_id_applications")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_service_cases")),
        sa.UniqueConstraint("project_no", name=op.f("uq_service_cases_project_no")),
    )
    op.create_index("ix_service_cases_application", "service_cases", ["application_id", "id"], unique=False)
    op.create_index(
        "ix_service_cases_calendar",
        "service_cases",
        ["calendar_version"],
        unique=False,
        postgresql_where=sa.text("ended_at IS NULL"),
    )
    op.create_index(
        "ix_service_cases_inbox",
        "service_cases",
        ["department_id", "submitted_at", "id"],
        unique=False,
        postgresql_where=sa.text("ended_at IS NULL AND status <> 'WAITING'"),
    )
    op.create_index(
        "ix_service_cases_inbox_status",
        "service_cases",
        ["department_id", "status", "submitted_at", "id"],
        unique=False,
    )
    op.create_index(
        "ix_service_cases_sweep",
        "service_cases",
        ["sweep_at", "id"],
        unique=False,
        postgresql_where=sa.text("sweep_at IS NOT NULL"),
    )
    op.create_table(
        "cards",
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("project_no", sa.String(length=50), nullable=False),
        sa.Column("item_name", sa.String(length=300), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.Column("division", sa.String(length=12), nullable=False),
        sa.Column("rule", sa.String(length=40), nullable=False),
        sa.Column("level", sa.String(length=40), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("reached_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("evidence", JSONB, nullable=False),
        sa.Column("explanation", sa.LargeBinary(), nullable=True),
        sa.Column("verdict", sa.LargeBinary(), nullable=True),
        sa.Column("verified_by", sa.String(length=100), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["service_cases.id"], name=op.f("fk_cards_case_id_service_cases")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_cards")),
        sa.UniqueConstraint("case_id", "rule", "level", name=op.f("uq_cards_case_id_rule_level")),
    )
    op.create_index("ix_cards_department", "cards", ["department_id", "id"], unique=False)
    op.create_index("ix_cards_division", "cards", ["division", "id"], unique=False)
    op.create_table(
        "case_documents",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.String(length=120), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("issued_by", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(
            ["case_id"], ["service_cases.id"], name=op.f("fk_case_documents_case_id_service_cases")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_documents")),
        sa.UniqueConstraint("department_id", "number", name=op.f("uq_case_documents_department_id_number")),
    )
    op.create_index("ix_case_documents_case", "case_documents", ["case_id", "issued_at"], unique=False)
    op.create_index(
        "uq_case_documents_one_correction",
        "case_documents",
        ["case_id"],
        unique=True,
        postgresql_where=sa.text("kind = '补正'"),
    )
    op.create_table(
        "case_procedures",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=20), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("planned_workdays", sa.BigInteger(), nullable=False),
        sa.Column("planned_end_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("approved_by", sa.String(length=100), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("result", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["case_id"], ["service_cases.id"], name=op.f("fk_case_procedures_case_id_service_cases")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_procedures")),
        sa.UniqueConstraint("case_id", "started_at", name=op.f("uq_case_procedures_case_id_started_at")),
    )
    op.create_index(
        "uq_case_procedures_one_extension",
        "case_procedures",
        ["case_id"],
        unique=True,
        postgresql_where=sa.text("kind = 'EXTENSION'"),
    )
    op.create_table(
        "case_tasks",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("case_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=200), nullable=False),
        sa.Column("status", sa.String(length=40), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.Column("staff_ids", JSONB, nullable=False),
        sa.Column("opened_by", sa.String(length=100), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("limit_workdays", sa.BigInteger(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("result", sa.LargeBinary(), nullable=True),
        sa.Column("done_by", sa.String(length=100), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["case_id"], ["service_cases.id"], name=op.f("fk_case_tasks_case_id_service_cases")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_tasks")),
    )
    op.create_index("ix_case_tasks_case", "case_tasks", ["case_id", "id"], unique=False)
    op.create_index(
        "ix_case_tasks_open",
        "case_tasks",
        ["department_id", "id"],
        unique=False,
        postgresql_where=sa.text("status = 'OPEN'"),
    )


def downgrade() -> None:
    op.drop_table("case_tasks")
    op.drop_table("case_procedures")
    op.drop_table("case_documents")
    op.drop_table("cards")
    op.drop_table("service_cases")
    op.drop_table("files")
    op.drop_table("application_materials")
    op.drop_table("application_forms")
    op.drop_table("access_records")
    op.drop_table("query_numbers")
    op.drop_table("lookup_failures")
    op.drop_table("held_licences")
    op.drop_table("counters")
    op.drop_table("calendar_notices")
    op.drop_table("blobs")
    op.drop_table("applications")
