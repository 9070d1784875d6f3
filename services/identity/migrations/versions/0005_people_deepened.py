"""Levels, documents, passkeys, identity codes"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _sessions_say_where()
    _persons_have_documents()
    _evidence_expires()
    _children_have_guardians()
    _appointments_stand_still()
    _high_roles_need_four_eyes()
    _clients_ask_for_scopes()
    _looks_have_a_basis()
    _urgent_messages_are_texted()
    _identity_codes()
    _passkeys()


def downgrade() -> None:
    op.drop_table("passkey_challenges")
    op.drop_table("passkeys")
    op.drop_table("identity_codes")
    op.drop_index("ix_inbox_messages_text_due", table_name="inbox_messages")
    op.drop_column("inbox_messages", "text_due_at")
    op.drop_column("persons", "language")
    op.drop_column("access_log", "legal_basis")
    op.execute("UPDATE access_log SET reference = left(reference, 100) WHERE length(reference) > 100")
    op.alter_column("access_log", "reference", type_=sa.String(length=100))
    op.drop_column("clients", "asked_scopes")
    op.drop_column("clients", "environment")
    op.drop_table("role_requests")
    op.drop_column("staff", "position")
    # The version before knows no suspension: what stands still ends.
    op.execute(
        "UPDATE agents SET revoked_at = suspended_at WHERE suspended_at IS NOT NULL AND revoked_at IS NULL"
    )
    op.drop_column("agents", "suspended_at")
    op.drop_column("agents", "role")
    op.drop_index(op.f("ix_legal_persons_confirmed_at"), table_name="legal_persons")
    op.drop_column("legal_persons", "suspended_at")
    op.drop_table("guardianships")
    op.drop_index("ix_verifications_expires_at", table_name="verifications")
    for column in ("department_id", "staff_id", "expiry_seen_at", "expires_at", "reference"):
        op.drop_column("verifications", column)
    # What the version before cannot hold: children without a phone stay, with a phone that nobody has.
    op.execute("UPDATE persons SET phone = '', phone_index = id::text::bytea WHERE phone_index IS NULL")
    op.alter_column("persons", "phone", nullable=False)
    op.alter_column("persons", "phone_index", nullable=False)
    for column in ("birth_date", "id_country"):
        op.drop_column("persons", column)
    for column in ("created_at", "place", "device"):
        op.drop_column("login_sessions", column)


def _sessions_say_where() -> None:
    op.add_column("login_sessions", sa.Column("device", sa.String(length=80), nullable=True))
    op.add_column("login_sessions", sa.Column("place", sa.String(length=60), nullable=True))
    op.add_column(
        "login_sessions",
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
    )


def _persons_have_documents() -> None:
    op.add_column("persons", sa.Column("id_country", sa.String(length=3), nullable=True))
    op.add_column("persons", sa.Column("birth_date", sa.LargeBinary(), nullable=True))
    op.alter_column("persons", "phone", nullable=True)
    op.alter_column("persons", "phone_index", nullable=True)


def _evidence_expires() -> None:
    op.add_column("verifications", sa.Column("reference", sa.String(length=200), nullable=True))
    op.add_column("verifications", sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("verifications", sa.Column("expiry_seen_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("verifications", sa.Column("staff_id", sa.Uuid(), nullable=True))
    op.add_column("verifications", sa.Column("department_id", sa.Uuid(), nullable=True))
    op.create_index(
        "ix_verifications_expires_at",
        "verifications",
        ["expires_at"],
        postgresql_where=sa.text("expires_at IS NOT NULL AND expiry_seen_at IS NULL"),
    )


def _children_have_guardians() -> None:
    op.create_table(
        "guardianships",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("guardian_id", sa.Uuid(), nullable=False),
        sa.Column("child_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.String(length=200), nullable=True),
        sa.Column("staff_id", sa.Uuid(), nullable=True),
        sa.Column("department_id", sa.Uuid(), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delegation_id", sa.Uuid(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["guardian_id"], ["persons.id"], name=op.f("fk_guardianships_guardian_id_persons")
        ),
        sa.ForeignKeyConstraint(["child_id"], ["persons.id"], name=op.f("fk_guardianships_child_id_persons")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_guardianships")),
    )
    op.create_index("ix_guardianships_child_id", "guardianships", ["child_id"])
    op.create_index(
        "uq_guardianships_running",
        "guardianships",
        ["guardian_id", "child_id"],
        unique=True,
        postgresql_where=sa.text("ended_at IS NULL"),
    )


def _appointments_stand_still() -> None:
    role = sa.Enum("REPRESENTATIVE", "ADMINISTRATOR", "AGENT", name="actsas", native_enum=False, length=40)
    op.add_column("agents", sa.Column("role", role, server_default="AGENT", nullable=False))
    op.add_column("agents", sa.Column("suspended_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("legal_persons", sa.Column("suspended_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(op.f("ix_legal_persons_confirmed_at"), "legal_persons", ["confirmed_at"])


def _high_roles_need_four_eyes() -> None:
    op.add_column("staff", sa.Column("position", sa.String(length=60), nullable=True))
    decision = sa.Enum(
        "PENDING", "APPROVED", "REJECTED", "LAPSED", name="decision", native_enum=False, length=40
    )
    op.create_table(
        "role_requests",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("staff_id", sa.Uuid(), nullable=False),
        sa.Column("department_id", sa.Uuid(), nullable=False),
        sa.Column("roles", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("requested_by", sa.Uuid(), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decision", decision, nullable=False),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"], name=op.f("fk_role_requests_staff_id_staff")),
        sa.ForeignKeyConstraint(
            ["department_id"], ["departments.id"], name=op.f("fk_role_requests_department_id_departments")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_role_requests")),
    )
    op.create_index(op.f("ix_role_requests_staff_id"), "role_requests", ["staff_id"])


def _clients_ask_for_scopes() -> None:
    environment = sa.Enum("PRODUCTION", "SANDBOX", name="environment", native_enum=False, length=40)
    op.add_column(
        "clients", sa.Column("environment", environment, server_default="PRODUCTION", nullable=False)
    )
    asked = postgresql.JSONB(astext_type=sa.Text())
    op.add_column("clients", sa.Column("asked_scopes", asked, server_default="[]", nullable=False))


def _looks_have_a_basis() -> None:
    op.add_column("access_log", sa.Column("legal_basis", sa.String(length=200), nullable=True))
    op.alter_column("access_log", "reference", type_=sa.String(length=200))


def _urgent_messages_are_texted() -> None:
    op.add_column("persons", sa.Column("language", sa.String(length=2), server_default="zh", nullable=False))
    op.add_column("inbox_messages", sa.Column("text_due_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index(
        "ix_inbox_messages_text_due",
        "inbox_messages",
        ["text_due_at"],
        postgresql_where=sa.text("text_due_at IS NOT NULL"),
    )


def _identity_codes() -> None:
    op.create_table(
        "identity_codes",
        sa.Column("code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("person_id", sa.Uuid(), nullable=False),
        sa.Column("legal_person_id", sa.Uuid(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("used_by", sa.String(length=100), nullable=True),
        sa.PrimaryKeyConstraint("code_hash", name=op.f("pk_identity_codes")),
    )
    op.create_index(op.f("ix_identity_codes_expires_at"), "identity_codes", ["expires_at"])


def _passkeys() -> None:
    op.create_table(
        "passkeys",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=False),
        sa.Column("credential_id", sa.LargeBinary(), nullable=False),
        sa.Column("public_key", sa.LargeBinary(), nullable=False),
        sa.Column("sign_count", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("is_backed_up", sa.Boolean(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_passkeys_account_id_accounts")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkeys")),
        sa.UniqueConstraint("credential_id", name=op.f("uq_passkeys_credential_id")),
    )
    op.create_index(op.f("ix_passkeys_account_id"), "passkeys", ["account_id"])
    ceremony = sa.Enum("REGISTER", "LOG_IN", name="ceremony", native_enum=False, length=40)
    op.create_table(
        "passkey_challenges",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("ceremony", ceremony, nullable=False),
        sa.Column("challenge", sa.LargeBinary(), nullable=False),
        sa.Column("account_id", sa.Uuid(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_passkey_challenges")),
    )
    op.create_index(op.f("ix_passkey_challenges_expires_at"), "passkey_challenges", ["expires_at"])
