"""Plumbing, departments, licence types, licences, uses, shown codes, signing keys."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from service_common.tables import create_plumbing, drop_plumbing

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)
_LIVING = sa.text("status IN ('NORMAL', 'SUSPENDED')")


def upgrade() -> None:
    create_plumbing()
    _create_departments_and_types()
    _create_signing_keys()
    _create_licences()
    _create_uses_and_codes()


def downgrade() -> None:
    for table in (
        "presentation_codes",
        "licence_uses",
        "licences",
        "signing_keys",
        "licence_types",
        "departments",
    ):
        op.drop_table(table)
    drop_plumbing()


def _create_departments_and_types() -> None:
    op.create_table(
        "departments",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("uscc", sa.String(18), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("division", sa.String(12), nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_departments"),
    )
    op.create_table(
        "licence_types",
        sa.Column("code", sa.String(21), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("aliases", JSONB, nullable=False),
        sa.Column("is_official", sa.Boolean, nullable=False),
        sa.Column("code_known", sa.String(40), nullable=False),
        sa.Column("category", sa.String(40), nullable=False),
        sa.Column("authority", sa.String(40), nullable=False),
        sa.Column("holder_kind", sa.String(40), nullable=False),
        sa.Column("validity", JSONB, nullable=False),
        sa.Column("qr_lifetime_seconds", sa.BigInteger, nullable=False),
        sa.Column("surface_fields", JSONB, nullable=False),
        sa.Column("origin", JSONB, nullable=False),
        sa.Column("imported_at", _INSTANT, nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("code", name="pk_licence_types"),
    )


def _create_signing_keys() -> None:
    op.create_table(
        "signing_keys",
        sa.Column("kid", sa.String(64), nullable=False),
        sa.Column("public_jwk", JSONB, nullable=False),
        sa.Column("private_jwk", sa.LargeBinary, nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("signs_from", _INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("kid", name="pk_signing_keys"),
    )
    op.create_index("ix_signing_keys_signs_from", "signing_keys", ["signs_from"])


def _create_licences() -> None:
    op.create_table(
        "licences",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False, server_default=sa.func.now()),
        sa.Column("updated_at", _INSTANT, nullable=False, server_default=sa.func.now()),
        sa.Column("identifier", sa.String(140), nullable=False),
        sa.Column("serial", sa.String(64), nullable=False),
        sa.Column("licence_version", sa.BigInteger, nullable=False),
        sa.Column("type_code", sa.String(21), nullable=False),
        sa.Column("type_name", sa.String(200), nullable=False),
        sa.Column("holder_kind", sa.String(40), nullable=False),
        sa.Column("holder_id", sa.Uuid, nullable=False),
        sa.Column("issuer_department_id", sa.Uuid, nullable=False),
        sa.Column("issuer_uscc", sa.String(18), nullable=False),
        sa.Column("issuer_name", sa.String(200), nullable=False),
        sa.Column("division", sa.String(12), nullable=False),
        sa.Column("case_id", sa.Uuid),
        sa.Column("project_no", sa.String(50)),
        sa.Column("status", sa.String(40), nullable=False),
        sa.Column("valid_from", sa.Date, nullable=False),
        sa.Column("valid_until", sa.Date),
        sa.Column("issued_at", _INSTANT, nullable=False),
        sa.Column("predecessor_identifier", sa.String(140)),
        sa.Column("successor_identifier", sa.String(140)),
        sa.Column("surface", sa.LargeBinary, nullable=False),
        sa.Column("document", sa.LargeBinary, nullable=False),
        sa.Column("signing_key_id", sa.String(64), nullable=False),
        sa.Column("order_index", sa.LargeBinary, nullable=False),
        sa.Column("number_index", sa.LargeBinary),
        sa.PrimaryKeyConstraint("id", name="pk_licences"),
        sa.UniqueConstraint("identifier", name="uq_licences_identifier"),
        sa.UniqueConstraint("case_id", name="uq_licences_case_id"),
    )
    op.create_index("ix_licences_holder", "licences", ["holder_id", "id"])
    op.create_index("ix_licences_valid_until", "licences", ["valid_until"], postgresql_where=_LIVING)
    op.create_index(
        "uq_licences_living_number",
        "licences",
        ["type_code", "issuer_department_id", "number_index"],
        unique=True,
        postgresql_where=_LIVING,
    )


def _create_uses_and_codes() -> None:
    op.create_table(
        "licence_uses",
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("licence_id", sa.Uuid, nullable=False),
        sa.Column("at", _INSTANT, nullable=False),
        sa.Column("mode", sa.String(40), nullable=False),
        sa.Column("purpose", sa.String(40), nullable=False),
        sa.Column("legal_basis", sa.String(200), nullable=False),
        sa.Column("about_id", sa.Uuid),
        sa.Column("fields", JSONB, nullable=False),
        sa.Column("verifier_kind", sa.String(20), nullable=False),
        sa.Column("verifier_id", sa.String(100)),
        sa.Column("verifier_department_id", sa.Uuid),
        sa.PrimaryKeyConstraint("id", name="pk_licence_uses"),
        sa.ForeignKeyConstraint(["licence_id"], ["licences.id"], name="fk_licence_uses_licence_id_licences"),
    )
    op.create_index("ix_licence_uses_licence", "licence_uses", ["licence_id", "id"])
    op.create_table(
        "presentation_codes",
        sa.Column("token_hash", sa.LargeBinary, nullable=False),
        sa.Column("licence_id", sa.Uuid, nullable=False),
        sa.Column("person_id", sa.Uuid, nullable=False),
        sa.Column("session_id", sa.String(100)),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("expires_at", _INSTANT, nullable=False),
        sa.Column("used_at", _INSTANT),
        sa.PrimaryKeyConstraint("token_hash", name="pk_presentation_codes"),
        sa.ForeignKeyConstraint(
            ["licence_id"], ["licences.id"], name="fk_presentation_codes_licence_id_licences"
        ),
    )
    op.create_index("ix_presentation_codes_person", "presentation_codes", ["person_id", "licence_id"])
    op.create_index("ix_presentation_codes_session", "presentation_codes", ["session_id"])
    op.create_index("ix_presentation_codes_expires_at", "presentation_codes", ["expires_at"])
