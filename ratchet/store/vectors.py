"""Vectors of texts under their content key: nothing is embedded twice."""

from collections.abc import Sequence

from sqlalchemy import select

from ratchet.concurrency import threaded
from ratchet.store.database import Database, insert_once
from ratchet.store.rows import VectorRow
from ratchet.store.schema import now, vectors

AT_ONCE = 500
"""Keys of one query: databases bound the number of its parameters."""


class Vectors:
    """The `ratchet.embedding.VectorStore` of the application database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @threaded
    def get(self, keys: Sequence[str]) -> dict[str, bytes]:
        """The vectors that are kept under these keys."""
        found: dict[str, bytes] = {}
        with self._database.read() as connection:
            for start in range(0, len(keys), AT_ONCE):
                some = keys[start : start + AT_ONCE]
                query = select(vectors.c.key, vectors.c.vector).where(vectors.c.key.in_(some))
                found.update((row.key, row.vector) for row in connection.execute(query))
        return found

    @threaded
    def put(self, new: dict[str, bytes]) -> None:
        """Keep vectors, all in one transaction; the first one of a key stays."""
        at = now()
        with self._database.write() as connection:
            for key, vector in new.items():
                row: VectorRow = {"key": key, "vector": vector, "created_at": at}
                insert_once(connection, vectors, row)
