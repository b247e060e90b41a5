"""The cases of each test at the gate, so that a resumed one takes the same, and worn ones are known."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the table of the gate's cases."""
    op.create_table(
        "gate_cases",
        sa.Column("test_id", sa.Text, primary_key=True),
        sa.Column("place", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("task", sa.Text, nullable=False),
        sa.Column("case_id", sa.Text, nullable=False),
        sa.Column("input", sa.Text, nullable=False),
        sa.Column("expected", sa.JSON, nullable=False),
        sa.Column("run_id", sa.Text),
        sa.Column("seen", sa.Integer, nullable=False),
    )
    op.create_index("gate_cases_by_task", "gate_cases", ["task"])
