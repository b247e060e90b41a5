"""A SQLite FTS5 table as a source."""

import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path

from ratchet.concurrency import to_thread
from ratchet.config.files import real_path
from ratchet.errors import ConfigurationError, SourceError
from ratchet.sources.bm25 import Bm25Index
from ratchet.sources.source import Document
from ratchet.text import plain_form
from ratchet.words import pieces_of, written_words

CANDIDATES = 200
"""Rows at most that are ranked here, because the table has no word of theirs."""


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
        """The rows that fit `query` best, by FTS5's own BM25.

        FTS5 knows no words of scripts without blanks between them. A query that has such is looked up piece by piece in
        the rows' text, and ranked as documents are.
        """
        return await to_thread(self._search, query, top_k)

    def _search(self, query: str, top_k: int) -> list[Document]:
        words, pieces = written_words(query), pieces_of(query)
        try:
            with closing(sqlite3.connect(self._uri, uri=True)) as connection:
                found = self._match(connection, words, CANDIDATES if pieces else top_k)
                if pieces:
                    found = self._containing(connection, pieces) | found
        except sqlite3.Error as error:
            raise SourceError(f"context source {self.name!r}: {error}") from error
        if not pieces:
            return list(found.values())[:top_k]
        rows = list(found.values())
        ranked = Bm25Index([row.text for row in rows]).best(query, top_k)
        return [rows[place]._replace(score=score) for place, score in ranked]

    def _match(self, connection: sqlite3.Connection, words: list[str], limit: int) -> dict[str, Document]:
        """Rows that have one of the words, best first, by their id."""
        if not words:
            return {}
        match = " OR ".join(f'"{word}"' for word in words)
        sql = f'SELECT rowid, rank, * FROM "{self._table}" WHERE "{self._table}" MATCH ? ORDER BY rank LIMIT ?'  # noqa: S608
        return {
            str(rowid): Document(str(rowid), _text(values), -float(rank))
            for rowid, rank, *values in connection.execute(sql, (match, limit))
        }

    def _containing(self, connection: sqlite3.Connection, pieces: list[str]) -> dict[str, Document]:
        """Rows that have most of the pieces in their text, by their id."""
        columns = [name for (name,) in connection.execute("SELECT name FROM pragma_table_info(?)", (self._table,))]
        text = " || ' ' || ".join(f"coalesce(\"{column.replace(chr(34), 2 * chr(34))}\", '')" for column in columns)
        connection.create_function("hits", 1, partial(_count, pieces))
        sql = (
            f'SELECT rowid, body, hits(body) AS found FROM (SELECT rowid, {text} AS body FROM "{self._table}") '  # noqa: S608
            f"WHERE found > 0 ORDER BY found DESC, rowid LIMIT {CANDIDATES}"
        )
        rows = connection.execute(sql)
        return {str(rowid): Document(str(rowid), body.strip(), float(found)) for rowid, body, found in rows}


def _text(values: list[object]) -> str:
    return " ".join(str(value) for value in values if value is not None)


def _count(pieces: list[str], text: str) -> int:
    plain = plain_form(text)
    return sum(piece in plain for piece in pieces)
