"""The application database: connections, transactions, migrations."""

import os
import sqlite3
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar, cast

from sqlalchemy import URL, Connection, Select, Table, create_engine, event, inspect, make_url, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import ArgumentError, DBAPIError

from ratchet.errors import ConfigurationError

HEAD = "0007"
"""The newest migration; checked first, so that an up-to-date database costs one query at the start."""
BACKENDS = ("sqlite", "postgresql")
"""Those that have partial unique indexes and ``ON CONFLICT``."""
BUSY_SECONDS = 10.0
WRITE_LOCK = 7283456190
"""Number of the advisory lock: any, but always the same."""
MOST_BYTES = 500
"""Of a path that SQLite opens, with what it adds for its journal."""

_OBJECTS = ("document", "bundle", "components", "numbers")
"""Columns that hold a JSON object wherever they are."""
_DAMAGED = "put back a copy of the database from before"

Effect = Callable[[Connection], object]
"""Something to write inside a transaction of somebody else; what it raises undoes all of the transaction."""
Row = TypeVar("Row")


class Database:
    """One SQLAlchemy engine. Every write transaction takes the write lock first.

    On SQLite it is ``BEGIN IMMEDIATE``. PostgreSQL has none, and there an advisory lock of the database stands for it.
    What a writer has read is true until it commits, so that nobody counts, decides or takes over at the same time.
    """

    def __init__(self, url: str) -> None:
        """Connect and bring the schema up to date.

        Raises:
            ConfigurationError: the URL is wrong or the database cannot be opened or written.
        """
        parsed = _parse_url(url)
        shown = parsed.render_as_string(hide_password=True)
        try:
            if parsed.get_backend_name() == "sqlite" and parsed.database:
                Path(parsed.database).parent.mkdir(parents=True, exist_ok=True)
            self._engine = create_engine(parsed)
        except (ArgumentError, ImportError, OSError) as error:
            raise ConfigurationError(f"database {shown}: {error}") from error
        if self._engine.dialect.name == "sqlite":
            event.listen(self._engine, "connect", _prepare_sqlite)
            event.listen(self._engine, "begin", _begin_sqlite)
        else:
            event.listen(self._engine, "begin", _begin_postgresql)
        try:
            self._migrate()
        except (DBAPIError, sqlite3.DatabaseError) as error:
            words = getattr(error, "orig", error)
            raise ConfigurationError(f"database {shown}: {words}{_advice(parsed)}") from error

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that may write; rolled back on any exception."""
        writing = self._engine.connect().execution_options(ratchet_write=True)
        with writing as connection, connection.begin():
            yield connection

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection for queries."""
        with self._engine.connect() as connection:
            yield connection

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()

    def _migrate(self) -> None:
        with self.read() as connection:
            if _revision(connection) == HEAD:
                return
        with self.write() as connection:
            if _revision(connection) == HEAD:
                return
            _upgrade(connection)


def _advice(url: URL) -> str:
    """What to do about a database that cannot be opened."""
    if url.get_backend_name() != "sqlite":
        return ""
    length = len(os.fsencode(url.database or ""))
    too_long = f"; its path is longer than SQLite takes ({length} bytes)" if length > MOST_BYTES else ""
    return f"{too_long}; RATCHET_HOME names its folder"


def _parse_url(url: str) -> URL:
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise ConfigurationError(f"database: {url.rpartition('@')[2]!r} is no database URL") from error
    if parsed.get_backend_name() not in BACKENDS:
        shown = parsed.render_as_string(hide_password=True)
        raise ConfigurationError(f"database {shown}: give a URL of {' or '.join(BACKENDS)}")
    return parsed


def fetch_rows(connection: Connection, query: Select[*tuple[Any, ...]], shape: type[Row]) -> list[Row]:
    """The rows that a query finds, said to have the `shape` of its columns.

    Raises:
        ConfigurationError: the JSON of a row was damaged behind Ratchet's back.
    """
    try:
        rows = [dict(row) for row in connection.execute(query).mappings()]
    except ValueError as error:
        raise ConfigurationError(
            f"database: the JSON of a row ({shape.__name__}) cannot be read: {error}; {_DAMAGED}"
        ) from error
    for row in rows:
        wrong = next((name for name in _OBJECTS if not isinstance(row.get(name, {}), dict)), None)
        if wrong:
            named = row.get("id", row.get("number", ""))
            raise ConfigurationError(f"database: {wrong} of {named} ({shape.__name__}) is no object; {_DAMAGED}")
    return [cast(Row, row) for row in rows]


def fetch_row(connection: Connection, query: Select[*tuple[Any, ...]], shape: type[Row]) -> Row | None:
    """The first row that a query finds."""
    return next(iter(fetch_rows(connection, query.limit(1), shape)), None)


def insert_once(connection: Connection, table: Table, row: Mapping[str, object], *, any_key: bool = False) -> bool:
    """Add a row unless one with its primary key is there (with `any_key`: with any of its unique keys); says whether it
    was added.

    Raises:
        IntegrityError: another constraint is broken.
    """
    key = None if any_key else list(table.primary_key.columns)
    new: Any = sqlite.insert(table)
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects import postgresql  # only here: its import takes as long as half a command

        new = postgresql.insert(table)
    added = connection.execute(new.values(dict(row)).on_conflict_do_nothing(index_elements=key))
    return added.rowcount == 1


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None  # transactions are begun explicitly
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    write = connection.get_execution_options().get("ratchet_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _begin_postgresql(connection: Connection) -> None:
    if connection.get_execution_options().get("ratchet_write", False):
        connection.exec_driver_sql(f"SET LOCAL lock_timeout = {int(BUSY_SECONDS * 1000)}")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({WRITE_LOCK})")


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    found = _revision(connection)
    if found is not None and found not in {
        step.revision for step in ScriptDirectory.from_config(config).walk_revisions()
    }:
        raise ConfigurationError(
            f"database: its schema {found!r:.40} is unknown to this release, whose newest is {HEAD}; install the "
            "release of Ratchet that made it, or a newer one"
        )
    command.upgrade(config, "head")
