"""Pushed requests, device authorizations, notices of logout"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Defaults in the database: the version before this one goes on registering clients without these columns.
    for name in (
        "require_pushed_authorization_requests",
        "backchannel_logout_session_required",
        "frontchannel_logout_session_required",
    ):
        op.add_column("clients", sa.Column(name, sa.Boolean(), server_default=sa.false(), nullable=False))
    op.add_column("clients", sa.Column("backchannel_logout_uri", sa.Text(), nullable=True))
    op.add_column("clients", sa.Column("frontchannel_logout_uri", sa.Text(), nullable=True))
    op.add_column(
        "grants",
        sa.Column("claims", postgresql.JSONB(astext_type=sa.Text(), none_as_null=True), nullable=True),
    )
    op.create_table(
        "pushed_requests",
        sa.Column("request_hash", sa.LargeBinary(), nullable=False),
        sa.Column("client_id", sa.String(length=100), nullable=False),
        sa.Column("parameters", sa.LargeBinary(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("request_hash", name=op.f("pk_pushed_requests")),
    )
    op.create_index(op.f("ix_pushed_requests_expires_at"), "pushed_requests", ["expires_at"], unique=False)
    op.create_table(
        "device_authorizations",
        sa.Column("device_hash", sa.LargeBinary(), nullable=False),
        sa.Column("user_code_hash", sa.LargeBinary(), nullable=False),
        sa.Column("client_id", sa.String(length=100), nullable=False),
        sa.Column("scope", sa.String(length=4000), nullable=False),
        sa.Column("resource", sa.String(length=100), nullable=True),
        sa.Column("address", sa.LargeBinary(), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "PENDING", "APPROVED", "DENIED", "USED", name="devicestatus", native_enum=False, length=40
            ),
            nullable=False,
        ),
        sa.Column("grant_id", sa.Uuid(), nullable=True),
        sa.Column("interval_seconds", sa.BigInteger(), nullable=False),
        sa.Column("polled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["grant_id"], ["grants.id"], name=op.f("fk_device_authorizations_grant_id_grants")
        ),
        sa.PrimaryKeyConstraint("device_hash", name=op.f("pk_device_authorizations")),
        sa.UniqueConstraint("user_code_hash", name=op.f("uq_device_authorizations_user_code_hash")),
    )
    op.create_index(
        op.f("ix_device_authorizations_expires_at"), "device_authorizations", ["expires_at"], unique=False
    )
    op.create_table(
        "logout_notices",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("grant_id", sa.Uuid(), nullable=False),
        sa.Column("client_id", sa.String(length=100), nullable=False),
        sa.Column(
            "status",
            sa.Enum("PENDING", "DELIVERED", "FAILED", name="noticestatus", native_enum=False, length=40),
            nullable=False,
        ),
        sa.Column("tries", sa.BigInteger(), nullable=False),
        sa.Column("next_try_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("response_code", sa.BigInteger(), nullable=True),
        sa.Column("error", sa.String(length=200), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["grant_id"], ["grants.id"], name=op.f("fk_logout_notices_grant_id_grants")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_logout_notices")),
        sa.UniqueConstraint("grant_id", name=op.f("uq_logout_notices_grant_id")),
    )
    op.create_index(op.f("ix_logout_notices_created_at"), "logout_notices", ["created_at"], unique=False)
    op.create_index(
        "ix_logout_notices_due",
        "logout_notices",
        ["next_try_at"],
        unique=False,
        postgresql_where=sa.text("status = 'PENDING'"),
    )
    op.create_index("ix_logout_notices_client_id_id", "logout_notices", ["client_id", "id"], unique=False)


def downgrade() -> None:
    op.drop_table("logout_notices")
    op.drop_table("device_authorizations")
    op.drop_table("pushed_requests")
    op.drop_column("grants", "claims")
    for name in (
        "frontchannel_logout_uri",
        "backchannel_logout_uri",
        "frontchannel_logout_session_required",
        "backchannel_logout_session_required",
        "require_pushed_authorization_requests",
    ):
        op.drop_column("clients", name)
