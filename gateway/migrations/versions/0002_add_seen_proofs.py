"""Add the memory of proofs of possession"""

from service_common.tables import create_seen_proofs, drop_seen_proofs

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    create_seen_proofs()


def downgrade() -> None:
    drop_seen_proofs()
