"""How each reply ended: a whole answer, cut off, refused, filtered or a tool call."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Add the ending; replies of earlier are taken for answers."""
    op.add_column("replies", sa.Column("ending", sa.Text, nullable=False, server_default="answer"))
