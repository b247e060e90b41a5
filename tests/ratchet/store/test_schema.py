import re
from typing import Any

import pytest
from sqlalchemy import insert, inspect, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.schema import CreateIndex

from ratchet.store import Database
from ratchet.store.schema import cycles, now
from ratchet.store.statuses import OPEN_CYCLE


def test_migrations_build_the_partial_index(database: Database) -> None:
    with database.read() as connection:
        (found,) = [index for index in inspect(connection).get_indexes("cycles") if index["name"] == "one_open_cycle"]
    assert (found["unique"], found["column_names"]) == (1, ["task", "component"])
    assert "running" in str(found["dialect_options"]["sqlite_where"])


@pytest.mark.parametrize("dialect", [sqlite.dialect(), postgresql.dialect()], ids=lambda dialect: dialect.name)
def test_index_keeps_one_cycle_open(dialect: Any) -> None:
    (index,) = [index for index in cycles.indexes if index.name == "one_open_cycle"]
    text = str(CreateIndex(index).compile(dialect=dialect))
    assert tuple(re.findall(r"'(\w+)'", text)) == OPEN_CYCLE


def test_second_cycle_is_let_in_when_the_first_has_ended(database: Database) -> None:
    row = {"id": "C-1", "task": "t", "component": "c", "graph": "agent", "thread_id": "x", "status": "running",
           "document": {}, "beat_at": now(), "created_at": now()}  # fmt: skip
    with database.write() as connection:
        connection.execute(insert(cycles).values(row | {"id": "C-0", "status": "applied"}))
        connection.execute(insert(cycles).values(row))
        with pytest.raises(IntegrityError, match=r"cycles\.task, cycles\.component"):
            connection.execute(insert(cycles).values(row | {"id": "C-2", "status": "awaiting_approval"}))


def test_unique_version_per_proposal_is_kept_by_the_database(database: Database) -> None:
    sql = text("INSERT INTO versions VALUES ('t', :n, 'active', 'h', 0, 'P', '{}', '', 'b', 'r', '{}', 'now')")
    with database.write() as connection:
        connection.execute(sql, {"n": 1})
        with pytest.raises(IntegrityError, match=r"versions\.proposal_id"):
            connection.execute(sql, {"n": 2})


def test_now_sorts_as_text() -> None:
    times = [now() for _ in range(100)]
    assert times == sorted(times)
    assert {len(time) for time in times} == {32}
