"""Replies of measurements beside those that were kept before: several for one request."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Add the request that a reply is for; replies of earlier have it for their key."""
    op.add_column("replies", sa.Column("request", sa.Text, nullable=False, server_default=sa.text("''")))
    op.execute(sa.text("UPDATE replies SET request = key"))
    op.create_index("replies_by_request", "replies", ["request", "created_at"])
