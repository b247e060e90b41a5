from typing import Any

import pytest

from ratchet.ledger import version_rows as rows
from ratchet.prompting import content_hash
from ratchet.store import Database
from ratchet.store.rows import VersionRow
from ratchet.store.statuses import VersionStatus


def add(database: Database, text: str, status: VersionStatus = "superseded", **more: Any) -> VersionRow:
    values = {"task": "shop", "base": None, "by": "ada", "reason": "r"} | more
    with database.write() as connection:
        return rows.add_row(
            connection, components={"shop": {"prompt": text}}, text=f'{{"shop": "{text}"}}', status=status, **values
        )


@pytest.fixture
def three(database: Database) -> list[VersionRow]:
    return [add(database, "1"), add(database, "2", proposal_id="P-2"), add(database, "3", "active")]


def test_numbers_go_on_within_a_task_and_begin_anew_in_another(database: Database, three: list[VersionRow]) -> None:
    assert [row["number"] for row in three] == [1, 2, 3]
    assert add(database, "x", task="other")["number"] == 1
    assert add(database, "4")["number"] == 4


def test_a_row_is_read_as_it_was_added(database: Database, three: list[VersionRow]) -> None:
    with database.read() as connection:
        assert rows.all_rows(connection, "shop") == three
        assert rows.all_rows(connection, "none") == []
        assert rows.row_of_number(connection, "shop", 2) == three[1]
        assert rows.row_of_number(connection, "shop", 9) is None
        assert rows.row_of_number(connection, "shop", None) is None
    assert three[0]["hash"] == content_hash({"shop": {"prompt": "1"}})
    assert three[0]["numbers"] == {}


def test_the_version_of_a_proposal_is_found_whatever_its_status(database: Database, three: list[VersionRow]) -> None:
    with database.write() as connection:
        rows.set_status(connection, three[1], "undone")
    with database.read() as connection:
        found = rows.of_proposal(connection, "P-2")
        assert found == three[1] | {"status": "undone"}
        assert rows.of_proposal(connection, "P-9") is None


def test_the_newest_of_a_status_is_taken_and_all_are_listed_oldest_first(
    database: Database, three: list[VersionRow]
) -> None:
    with database.read() as connection:
        assert rows.row_with_status(connection, "shop", "superseded") == three[1]
        assert rows.rows_with_status(connection, "shop", "superseded") == three[:2]
        assert rows.row_with_status(connection, "shop", "applying") is None


def test_active_versions_are_those_of_all_tasks(database: Database, three: list[VersionRow]) -> None:
    other = add(database, "x", "active", task="other")
    with database.read() as connection:
        assert rows.active_rows(connection) == [three[2], other]


def test_a_status_is_changed_for_one_version_of_one_task(database: Database, three: list[VersionRow]) -> None:
    other = add(database, "x", task="other")
    with database.write() as connection:
        rows.set_status(connection, three[0], "active", file_text="as written")
    with database.read() as connection:
        assert rows.row_of_number(connection, "shop", 1) == three[0] | {"status": "active", "file_text": "as written"}
        assert rows.all_rows(connection, "shop")[1:] == three[1:]
        assert rows.all_rows(connection, "other") == [other]


def test_a_status_alone_leaves_the_files_text(database: Database, three: list[VersionRow]) -> None:
    with database.write() as connection:
        rows.set_status(connection, three[2], "superseded")
    with database.read() as connection:
        assert rows.row_of_number(connection, "shop", 3) == three[2] | {"status": "superseded"}
