"""Delegations, proofs of possession"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from service_common.tables import create_seen_proofs, drop_seen_proofs

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "delegations",
        sa.Column(
            "principal_kind",
            sa.Enum("NATURAL_PERSON", "LEGAL_PERSON", name="holderkind", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("principal_id", sa.Uuid(), nullable=False),
        sa.Column("granted_by", sa.Uuid(), nullable=False),
        sa.Column(
            "agent_kind",
            sa.Enum("PERSON", "HELPER", name="agentkind", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("agent_id", sa.Uuid(), nullable=False),
        sa.Column("acts", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("matters", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=True),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("max_uses", sa.BigInteger(), nullable=True),
        sa.Column("uses", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.LargeBinary(), nullable=False),
        sa.Column("text_hash", sa.LargeBinary(), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_by", sa.Uuid(), nullable=True),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["granted_by"], ["persons.id"], name=op.f("fk_delegations_granted_by_persons")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delegations")),
    )
    op.create_index("ix_delegations_principal_id_id", "delegations", ["principal_id", "id"])
    op.create_index("ix_delegations_agent_id_id", "delegations", ["agent_id", "id"])
    op.add_column("grants", sa.Column("delegation_id", sa.Uuid(), nullable=True))
    op.add_column("grants", sa.Column("sits_in_id", sa.Uuid(), nullable=True))
    op.create_foreign_key(op.f("fk_grants_sits_in_id_grants"), "grants", "grants", ["sits_in_id"], ["id"])
    for name in ("sits_in_id", "delegation_id"):
        op.create_index(
            f"ix_grants_{name}", "grants", [name], postgresql_where=sa.text(f"{name} IS NOT NULL")
        )
    create_seen_proofs()
    op.add_column("grants", sa.Column("dpop_jkt", sa.String(43), nullable=True))
    op.add_column("authorization_codes", sa.Column("dpop_jkt", sa.String(43), nullable=True))
    op.add_column(
        "clients",
        sa.Column("dpop_bound_access_tokens", sa.Boolean(), nullable=False, server_default=sa.false()),
    )
    op.add_column(
        "clients",
        sa.Column(
            "security_profile",
            sa.Enum("DEFAULT", "FAPI2", name="securityprofile", native_enum=False, length=40),
            nullable=False,
            server_default="DEFAULT",
        ),
    )


def downgrade() -> None:
    op.drop_column("clients", "security_profile")
    op.drop_column("clients", "dpop_bound_access_tokens")
    op.drop_column("authorization_codes", "dpop_jkt")
    op.drop_column("grants", "dpop_jkt")
    drop_seen_proofs()
    op.drop_column("grants", "sits_in_id")
    op.drop_column("grants", "delegation_id")
    op.drop_table("delegations")
