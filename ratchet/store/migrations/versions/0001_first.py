"""The first schema."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create all tables."""
    op.create_table(
        "runs",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("task", sa.Text, nullable=False),
        sa.Column("thread_id", sa.Text),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("passed", sa.Integer),
        sa.Column("score", sa.Float),
        sa.Column("version", sa.Integer),
        sa.Column("document", sa.JSON, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
    )
    op.create_index("runs_by_task", "runs", ["task", "created_at"])
    op.create_table(
        "failures",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("run_id", sa.Text, nullable=False),
        sa.Column("task", sa.Text, nullable=False),
        sa.Column("component", sa.Text, nullable=False),
        sa.Column("group_key", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("cycle_id", sa.Text),
        sa.Column("source", sa.Text, nullable=False),
        sa.Column("bundle", sa.JSON, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
    )
    op.create_index("failures_by_task", "failures", ["task", "status", "created_at"])
    op.create_table(
        "cycles",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("task", sa.Text, nullable=False),
        sa.Column("component", sa.Text, nullable=False),
        sa.Column("graph", sa.Text, nullable=False),
        sa.Column("thread_id", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("category", sa.Text),
        sa.Column("verdict", sa.Text),
        sa.Column("document", sa.JSON, nullable=False),
        sa.Column("beat_at", sa.Text, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("finished_at", sa.Text),
    )
    op.create_table(
        "replies",
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("cycle_id", sa.Text),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("input_tokens", sa.Integer, nullable=False),
        sa.Column("output_tokens", sa.Integer, nullable=False),
        sa.Column("seconds", sa.Float, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
    )
    op.create_index("replies_by_cycle", "replies", ["cycle_id"])
    op.create_table(
        "proposals",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("cycle_id", sa.Text, nullable=False),
        sa.Column("task", sa.Text, nullable=False),
        sa.Column("component", sa.Text, nullable=False),
        sa.Column("strategy", sa.Text, nullable=False),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("document", sa.JSON, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
    )
    op.create_index("proposals_by_component", "proposals", ["task", "component", "fingerprint"])
    op.create_table(
        "gate_tests",
        sa.Column("cycle_id", sa.Text, primary_key=True),
        sa.Column("task", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("level", sa.Float, nullable=False),
        sa.Column("verdict", sa.Text),
        sa.UniqueConstraint("task", "number", name="one_test_per_number"),
    )
    op.create_table(
        "versions",
        sa.Column("task", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
        sa.Column("base_number", sa.Integer),
        sa.Column("proposal_id", sa.Text, unique=True),
        sa.Column("components", sa.JSON, nullable=False),
        sa.Column("file_text", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("numbers", sa.JSON, nullable=False),
        sa.Column("applied_at", sa.Text, nullable=False),
    )
    op.create_table(
        "reviews",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("task", sa.Text, nullable=False),
        sa.Column("cycle_id", sa.Text),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("document", sa.JSON, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
    )
    op.create_index("reviews_by_task", "reviews", ["task", "status"])
    op.create_table(
        "audit",
        sa.Column("seq", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("task", sa.Text, nullable=False),
        sa.Column("subject", sa.Text, nullable=False),
        sa.Column("detail", sa.JSON, nullable=False),
        sa.Column("previous_hash", sa.Text, nullable=False),
        sa.Column("hash", sa.Text, nullable=False),
    )
    op.create_index("cycles_by_thread", "cycles", ["thread_id", "created_at"])
    op.create_index(
        "one_open_cycle",
        "cycles",
        ["task", "component"],
        unique=True,
        sqlite_where=sa.text("status IN ('running', 'awaiting_approval')"),
        postgresql_where=sa.text("status IN ('running', 'awaiting_approval')"),
    )
