"""Names that say what they hold: a test at the gate has its own id, and a vetoed change is filed as that."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Rename the key of the gate's tests, which is a proposal's id, and the reviews of changes that were vetoed."""
    op.alter_column("gate_tests", "cycle_id", new_column_name="test_id")
    op.execute(sa.text("UPDATE reviews SET kind = 'vetoed' WHERE kind = 'better'"))
