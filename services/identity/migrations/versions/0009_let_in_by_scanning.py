"""Sessions know whether somebody authenticated there, or was let in from elsewhere"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column(
        "login_sessions", sa.Column("is_let_in", sa.Boolean(), server_default=sa.false(), nullable=False)
    )
    # A browser that was let in had authenticated elsewhere, before its session began. Of a device that shows in its grants.
    op.execute(
        "UPDATE login_sessions AS login SET is_let_in = true WHERE ended_at IS NULL AND (authenticated_at < created_at "
        "OR EXISTS (SELECT FROM device_authorizations AS device JOIN grants ON grants.id = device.grant_id "
        "WHERE grants.login_session_id = login.id))"
    )


def downgrade() -> None:
    op.drop_column("login_sessions", "is_let_in")
