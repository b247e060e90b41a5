"""Finding ids by their beginning, as people type them."""

from collections.abc import Sequence
from typing import Literal

from sqlalchemy import Table, func, select

from ratchet.concurrency import threaded
from ratchet.store.database import Database
from ratchet.store.schema import cycles, failures, reviews, runs

IdKind = Literal["cycle", "review", "failure", "run"]
_TABLES: dict[IdKind, Table] = {"cycle": cycles, "review": reviews, "failure": failures, "run": runs}


class Ids:
    """The ids that the database has given."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @threaded
    def beginning_with(self, text: str, kinds: Sequence[IdKind], limit: int = 100) -> list[str]:
        """The ids of those kinds that begin with `text`, at most `limit`, in their order. One that is `text` itself
        stands alone."""
        found: list[str] = []
        with self._database.read() as connection:
            for kind in kinds:
                column = _TABLES[kind].c.id
                begins = func.substr(column, 1, len(text)) == text  # LIKE may take capital letters for small ones
                found += connection.execute(select(column).where(begins).order_by(column).limit(limit)).scalars()
        return [text] if text in found else found[:limit]
