import sqlalchemy as sa
from alembic import op

from service_common.tables import create_plumbing, create_seen_proofs, drop_plumbing, drop_seen_proofs

revision = "0001"
down_revision = None


def upgrade() -> None:
    create_plumbing()
    create_seen_proofs()
    op.create_table(
        "notes",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now()),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.func.now()),
        sa.Column("text", sa.Text, nullable=False),
    )
    # Checked only at commit: the way to make a commit fail that every statement before it let through.
    op.execute(
        "CREATE FUNCTION refuse_at_commit() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE EXCEPTION 'refused at commit' USING ERRCODE = 'integrity_constraint_violation'; END $$"
    )
    op.execute(
        "CREATE CONSTRAINT TRIGGER refuse_commit AFTER INSERT ON notes DEFERRABLE INITIALLY DEFERRED "
        "FOR EACH ROW WHEN (NEW.text = 'refuse at commit') EXECUTE FUNCTION refuse_at_commit()"
    )


def downgrade() -> None:
    op.drop_table("notes")
    drop_seen_proofs()
    drop_plumbing()
