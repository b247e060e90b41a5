"""A SQLite FTS5 table as a source."""

import re
import sqlite3
from contextlib import closing
from pathlib import Path

from ratchet.concurrency import to_thread
from ratchet.config.files import real_path
from ratchet.errors import ConfigurationError, SourceError
from ratchet.sources.source import Document


class FtsTable:
    """An FTS5 table, opened read-only; a row's columns are joined to its text."""

    def __init__(self, name: str, file: Path, table: str) -> None:
        """Check that the table is there.

        Raises:
            ConfigurationError: no such file or table.
        """
        self.name = name
        self._uri = f"{real_path(file).as_uri()}?mode=ro"
        self._table = table  # an identifier, checked by the task's model
        try:
            with closing(sqlite3.connect(self._uri, uri=True)) as connection:
                connection.execute(f'SELECT rowid FROM "{table}" LIMIT 1')  # noqa: S608
        except sqlite3.Error as error:
            raise ConfigurationError(f"context source {name!r}: {file}, table {table!r}: {error}") from error

    async def fetch(self, query: str, top_k: int) -> list[Document]:
        """The rows that fit `query` best, by FTS5's own BM25."""
        return await to_thread(self._search, query, top_k)

    def _search(self, query: str, top_k: int) -> list[Document]:
        words = dict.fromkeys(re.findall(r"\w+", query))  # FTS5 looks up a word as often as it is repeated
        if not words:
            return []
        match = " OR ".join(f'"{word}"' for word in words)
        sql = f'SELECT rowid, rank, * FROM "{self._table}" WHERE "{self._table}" MATCH ? ORDER BY rank LIMIT ?'  # noqa: S608
        try:
            with closing(sqlite3.connect(self._uri, uri=True)) as connection:
                rows = connection.execute(sql, (match, top_k)).fetchall()
        except sqlite3.Error as error:
            raise SourceError(f"context source {self.name!r}: {error}") from error
        return [
            Document(str(rowid), " ".join(str(value) for value in values if value is not None), -float(rank))
            for rowid, rank, *values in rows
        ]
