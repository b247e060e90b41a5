import sqlite3
import types
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, select, text
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import IntegrityError

from ratchet.errors import ConfigurationError
from ratchet.store import Database
from ratchet.store.database import insert_once
from ratchet.store.schema import cycles, gate_tests, now


def test_database_is_kept_when_opened_again(database_url: str) -> None:
    row = {"id": "C", "task": "t", "component": "c", "graph": "g", "thread_id": "x", "status": "running",
           "document": {}, "beat_at": now(), "created_at": now()}  # fmt: skip
    first = Database(database_url)
    with first.write() as connection:
        connection.execute(cycles.insert().values(row))
    first.close()
    second = Database(database_url)
    with second.read() as connection:
        assert connection.execute(text("SELECT id FROM cycles")).scalars().all() == ["C"]
    second.close()


def test_write_is_rolled_back_on_an_exception(database: Database) -> None:
    def fail_after_writing() -> None:
        with database.write() as connection:
            connection.execute(text("INSERT INTO gate_tests (test_id, task, number, level) VALUES ('a', 't', 1, 0.1)"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail_after_writing()
    with database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM gate_tests")).scalar() == 0


def test_write_takes_the_lock_at_once(database: Database, database_url: str) -> None:
    other = sqlite3.connect(database_url.removeprefix("sqlite:///"), timeout=0, isolation_level=None)
    with database.write(), pytest.raises(sqlite3.OperationalError, match="locked"):
        other.execute("BEGIN IMMEDIATE")
    other.close()


@pytest.mark.parametrize("url", ["nonsense", "nodialect://x", "sqlite:////proc/none/x.sqlite"])
def test_database_url_that_is_wrong_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match=r"^database"):
        Database(url)


def test_file_that_is_no_database_is_refused_and_untouched(tmp_path: Path) -> None:
    file = tmp_path / "notes.sqlite"
    file.write_bytes(b"dear diary, " * 100)
    with pytest.raises(ConfigurationError, match="not a database"):
        Database(f"sqlite:///{file}")
    assert file.read_bytes() == b"dear diary, " * 100


def test_password_is_not_shown_in_errors() -> None:
    with pytest.raises(ConfigurationError) as caught:
        Database("nodialect://user:hunter2@host/db")
    assert "hunter2" not in str(caught.value)


def test_database_of_another_kind_is_refused() -> None:
    with pytest.raises(ConfigurationError, match=r"database mysql://db/x: give a URL of sqlite or postgresql"):
        Database("mysql://db/x")


TEST = {"test_id": "P", "task": "t", "number": 1, "level": 0.1}
"""A row of a table with two unique keys: the test, and the task with the number."""


def kept(database: Database) -> list[tuple[str, float]]:
    with database.read() as connection:
        return [(test, level) for test, level in connection.execute(select(gate_tests.c.test_id, gate_tests.c.level))]


@pytest.mark.parametrize("any_key", [False, True])
def test_insert_once_keeps_the_first(database: Database, any_key: bool) -> None:
    with database.write() as connection:
        assert insert_once(connection, gate_tests, TEST, any_key=any_key)
        assert not insert_once(connection, gate_tests, TEST | {"level": 0.2}, any_key=any_key)
    assert kept(database) == [("P", 0.1)]


def test_insert_once_passes_over_no_other_key_unless_told_to(database: Database) -> None:
    with database.write() as connection:
        insert_once(connection, gate_tests, TEST)
        assert not insert_once(connection, gate_tests, TEST | {"test_id": "Q"}, any_key=True)
        with pytest.raises(IntegrityError, match=r"gate_tests\.task, gate_tests\.number"):
            insert_once(connection, gate_tests, TEST | {"test_id": "Q"})
    assert kept(database) == [("P", 0.1)]


@pytest.mark.parametrize("any_key", [False, True])
def test_insert_once_raises_where_a_value_is_missing(database: Database, any_key: bool) -> None:
    with database.write() as connection, pytest.raises(IntegrityError, match=r"NOT NULL.*gate_tests\.task"):
        insert_once(connection, gate_tests, TEST | {"task": None}, any_key=any_key)


@pytest.mark.parametrize(
    ("any_key", "clause"), [(False, "ON CONFLICT (test_id) DO NOTHING"), (True, "ON CONFLICT DO NOTHING")]
)
def test_insert_once_is_said_so_to_postgresql(any_key: bool, clause: str) -> None:
    told: list[str] = []

    class Connected:
        dialect = postgresql.dialect()

        def execute(self, statement: Any) -> Any:
            told.append(str(statement.compile(dialect=self.dialect)))
            return types.SimpleNamespace(rowcount=0)

    connection: Any = Connected()
    assert not insert_once(connection, gate_tests, TEST, any_key=any_key)
    assert told[0].endswith(clause)


def test_path_that_is_too_long_for_sqlite_is_told(tmp_path: Path) -> None:
    folder = tmp_path.joinpath(*["d" * 200] * 3)
    with pytest.raises(
        ConfigurationError, match=r"longer than SQLite takes \(\d+ bytes\); RATCHET_HOME names its folder$"
    ):
        Database(URL.create("sqlite", database=str(folder / "x.sqlite")).render_as_string())
