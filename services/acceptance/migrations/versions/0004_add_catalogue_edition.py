"""Add the edition of the catalogue in force

It changes with every statement that could change a plan, whoever sends it: that is why the database itself does it.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

PLANS_REST_ON = ("bundles", "service_items", "departments", "department_codes")


def upgrade() -> None:
    op.create_table(
        "catalogue_edition",
        sa.Column("singleton", sa.Boolean(), primary_key=True, server_default=sa.true()),
        sa.Column("edition", sa.Uuid(), nullable=False, server_default=sa.func.gen_random_uuid()),
        sa.CheckConstraint("singleton", name=op.f("ck_catalogue_edition_one_row")),
    )
    op.execute(
        """
        CREATE FUNCTION begin_catalogue_edition() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            INSERT INTO catalogue_edition DEFAULT VALUES
            ON CONFLICT (singleton) DO UPDATE SET edition = excluded.edition;
            RETURN NULL;
        END $$
        """
    )
    for table in PLANS_REST_ON:
        op.execute(
            f"CREATE TRIGGER begin_catalogue_edition AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION begin_catalogue_edition()"
        )


def downgrade() -> None:
    for table in PLANS_REST_ON:
        op.execute(f"DROP TRIGGER begin_catalogue_edition ON {table}")
    op.execute("DROP FUNCTION begin_catalogue_edition()")
    op.drop_table("catalogue_edition")
