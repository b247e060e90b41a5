"""Tables of the application database. Migrations in ``migrations/versions`` build them; a test holds the two together.

Times are ISO 8601 in UTC with microseconds, so that they sort as text. Documents are JSON.
"""

from datetime import UTC, datetime

from sqlalchemy import JSON, Column, Float, Index, Integer, LargeBinary, MetaData, Table, Text, UniqueConstraint, text

metadata = MetaData()

runs = Table(
    "runs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("task", Text, nullable=False),
    Column("thread_id", Text),
    Column("source", Text, nullable=False),
    Column("passed", Integer),
    Column("score", Float),
    Column("version", Integer),
    Column("document", JSON, nullable=False),
    Column("created_at", Text, nullable=False),
    Index("runs_by_task", "task", "created_at"),
)

failures = Table(
    "failures",
    metadata,
    Column("id", Text, primary_key=True),
    Column("run_id", Text, nullable=False),
    Column("task", Text, nullable=False),
    Column("component", Text, nullable=False),
    Column("group_key", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("cycle_id", Text),
    Column("source", Text, nullable=False),
    Column("bundle", JSON, nullable=False),
    Column("created_at", Text, nullable=False),
    Index("failures_by_task", "task", "status", "created_at"),
)

cycles = Table(
    "cycles",
    metadata,
    Column("id", Text, primary_key=True),
    Column("task", Text, nullable=False),
    Column("component", Text, nullable=False),
    Column("graph", Text, nullable=False),
    Column("thread_id", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("category", Text),
    Column("verdict", Text),
    Column("document", JSON, nullable=False),
    Column("beat_at", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("finished_at", Text),
    Index("cycles_by_thread", "thread_id", "created_at"),
    Index(
        "one_open_cycle",
        "task",
        "component",
        unique=True,
        sqlite_where=text("status IN ('running', 'awaiting_approval')"),
        postgresql_where=text("status IN ('running', 'awaiting_approval')"),
    ),
)

replies = Table(
    "replies",
    metadata,
    Column("key", Text, primary_key=True),
    Column("request", Text, nullable=False, server_default=text("''")),
    Column("role", Text, nullable=False),
    Column("cycle_id", Text),
    Column("text", Text, nullable=False),
    Column("ending", Text, nullable=False, server_default="answer"),
    Column("input_tokens", Integer, nullable=False),
    Column("output_tokens", Integer, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("created_at", Text, nullable=False),
    Index("replies_by_cycle", "cycle_id"),
    Index("replies_by_request", "request", "created_at"),
)

vectors = Table(
    "vectors",
    metadata,
    Column("key", Text, primary_key=True),
    Column("vector", LargeBinary, nullable=False),
    Column("created_at", Text, nullable=False),
)

proposals = Table(
    "proposals",
    metadata,
    Column("id", Text, primary_key=True),
    Column("cycle_id", Text, nullable=False),
    Column("task", Text, nullable=False),
    Column("component", Text, nullable=False),
    Column("strategy", Text, nullable=False),
    Column("fingerprint", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("reason", Text),
    Column("document", JSON, nullable=False),
    Column("created_at", Text, nullable=False),
    Index("proposals_by_component", "task", "component", "fingerprint"),
)

gate_tests = Table(
    "gate_tests",
    metadata,
    Column("test_id", Text, primary_key=True),
    Column("task", Text, nullable=False),
    Column("number", Integer, nullable=False),
    Column("level", Float, nullable=False),
    Column("verdict", Text),
    UniqueConstraint("task", "number", name="one_test_per_number"),
)

gate_cases = Table(
    "gate_cases",
    metadata,
    Column("test_id", Text, primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    Column("task", Text, nullable=False),
    Column("case_id", Text, nullable=False),
    Column("input", Text, nullable=False),
    Column("expected", JSON, nullable=False),
    Column("run_id", Text),
    Column("seen", Integer, nullable=False),
    Index("gate_cases_by_task", "task"),
)

versions = Table(
    "versions",
    metadata,
    Column("task", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("status", Text, nullable=False),
    Column("hash", Text, nullable=False),
    Column("base_number", Integer),
    Column("proposal_id", Text, unique=True),
    Column("components", JSON, nullable=False),
    Column("file_text", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("numbers", JSON, nullable=False),
    Column("applied_at", Text, nullable=False),
)

reviews = Table(
    "reviews",
    metadata,
    Column("id", Text, primary_key=True),
    Column("task", Text, nullable=False),
    Column("cycle_id", Text),
    Column("kind", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("document", JSON, nullable=False),
    Column("created_at", Text, nullable=False),
    Index("reviews_by_task", "task", "status"),
)

cases = Table(
    "cases",
    metadata,
    Column("task", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("input", Text, nullable=False),
    Column("expected", JSON, nullable=False),
    Column("split", Text, nullable=False),
    Column("tags", JSON, nullable=False),
    Column("origin", Text),
    Column("approved_by", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    UniqueConstraint("task", "input", name="one_case_per_input"),
)

audit = Table(
    "audit",
    metadata,
    Column("seq", Integer, primary_key=True, autoincrement=True),
    Column("at", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("task", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", JSON, nullable=False),
    Column("previous_hash", Text, nullable=False),
    Column("hash", Text, nullable=False),
)


def now() -> str:
    """The time as it is stored."""
    return datetime.now(UTC).isoformat(timespec="microseconds")
