import asyncio
import sqlite3
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, text
from sqlalchemy.exc import IntegrityError

import ratchet.store
from ratchet.errors import ConfigurationError
from ratchet.store import Database, Store
from ratchet.store.database import HEAD
from ratchet.store.schema import cycles, metadata, now


def test_migrations_build_what_the_schema_says(database: Database) -> None:
    with database.read() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_migrations_build_the_partial_index(database: Database) -> None:
    with database.read() as connection:
        (found,) = [index for index in inspect(connection).get_indexes("cycles") if index["name"] == "one_open_cycle"]
    assert (found["unique"], found["column_names"]) == (1, ["task", "component"])
    assert "running" in str(found["dialect_options"]["sqlite_where"])


def test_head_is_the_newest_migration() -> None:
    folder = Path(ratchet.store.__file__).parent / "migrations"
    assert ScriptDirectory(str(folder)).get_heads() == [HEAD]


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


def test_unique_version_per_proposal_is_kept_by_the_database(database: Database) -> None:
    sql = text("INSERT INTO versions VALUES ('t', :n, 'active', 'h', 0, 'P', '{}', '', 'b', 'r', '{}', 'now')")
    with database.write() as connection:
        connection.execute(sql, {"n": 1})
        with pytest.raises(IntegrityError, match=r"versions\.proposal_id"):
            connection.execute(sql, {"n": 2})


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


def test_now_sorts_as_text() -> None:
    times = [now() for _ in range(100)]
    assert times == sorted(times)
    assert {len(time) for time in times} == {32}


def test_database_of_the_first_schema_is_upgraded_and_keeps_its_data(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/old.sqlite"
    config = Config()
    config.set_main_option("script_location", str(Path(ratchet.store.__file__).parent / "migrations"))
    old = create_engine(url)
    with old.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        assert not inspect(connection).has_table("cases")
        connection.execute(text("INSERT INTO reviews VALUES ('V', 't', 'C', 'budget', 'open', '{\"a\": 1}', 'now')"))
    old.dispose()
    database = Database(url)
    with database.read() as connection:
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
    store = Store(database)
    assert asyncio.run(store.reviews.find("C")) == {
        "id": "V", "task": "t", "cycle_id": "C", "kind": "budget", "status": "open", "document": {"a": 1},
        "created_at": "now",
    }  # fmt: skip
    assert asyncio.run(store.cases.of_task("t")) == []
    database.close()
