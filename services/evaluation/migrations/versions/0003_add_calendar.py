"""Keep holiday notices, and the limits of each rectification, so that its deadlines can be counted again.

Rectifications from before were counted with the default limits of the settings.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from service_common.tables import create_calendar, drop_calendar

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_calendar()
    op.add_column(
        "rectifications", sa.Column("limit_workdays", JSONB, nullable=False, server_default="[1, 3, 15]")
    )


def downgrade() -> None:
    op.drop_column("rectifications", "limit_workdays")
    drop_calendar()
