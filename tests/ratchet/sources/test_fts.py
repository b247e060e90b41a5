import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from ratchet.errors import ConfigurationError, SourceError
from ratchet.sources.fts import FtsTable

pytestmark = pytest.mark.anyio
ROWS = [("Hours", "The shop opens at nine."), ("Repairs", "Bicycles are repaired."), (None, "nine nine nine")]


def write(file: Path, rows: Sequence[tuple[str | None, str]] = ROWS) -> Path:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("CREATE VIRTUAL TABLE facts USING fts5(title, body)")
        connection.executemany("INSERT INTO facts VALUES (?, ?)", rows)
        connection.execute("CREATE TABLE plain (body)")
    return file


@pytest.fixture
def table(tmp_path: Path) -> Path:
    return write(tmp_path / "what now?.sqlite")


async def texts(file: Path, query: str, top_k: int = 5) -> list[str]:
    return [document.text for document in await FtsTable("facts", file, "facts").fetch(query, top_k)]


async def test_fts_table_ranks_rows_and_joins_columns(table: Path) -> None:
    source = FtsTable("facts", table, "facts")

    found = await source.fetch("nine opens", 5)

    assert {document.text for document in found} == {"Hours The shop opens at nine.", "nine nine nine"}
    assert found[0].score >= found[1].score > 0
    assert {document.id for document in found} == {"1", "3"}
    assert len(await source.fetch("nine", 1)) == 1


async def test_fts_table_puts_the_row_with_more_of_the_words_first(table: Path) -> None:
    assert (await texts(table, "when does the shop open? at nine"))[0] == "Hours The shop opens at nine."


@pytest.mark.parametrize("query", ["zebra", "", "?", '"', 'x" OR "y', "NOT", "title:", "NEAR(a b)", "*", "-", "\x00"])
async def test_fts_table_takes_any_query_as_plain_words(table: Path, query: str) -> None:
    assert await texts(table, query) == []


@pytest.mark.parametrize(
    "query",
    [
        '"bicycles',
        "bicycles*",
        "body : bicycles",
        "NOT bicycles",
        "bicycles AND zebra",
        "^bicycles",
        "(bicycles",
        "BICYCLES;--",
    ],
)
async def test_fts_syntax_in_a_query_is_no_syntax(table: Path, query: str) -> None:
    assert await texts(table, query) == ["Repairs Bicycles are repaired."]


async def test_fts_prefix_and_column_are_not_searched_for(table: Path) -> None:
    assert await texts(table, "bicy*") == []
    assert await texts(table, "title:bicycles") == ["Repairs Bicycles are repaired."]


async def test_fts_query_of_many_repeated_words_is_answered_at_once(tmp_path: Path) -> None:
    file = write(tmp_path / "large.sqlite", [("x", f"the shop number{number}") for number in range(2000)])
    started = time.process_time()

    found = await texts(file, "The shop " * 1000 + "number7")

    assert found[0] == "x the shop number7"
    assert time.process_time() - started < 2


async def test_fts_table_closes_its_connections(table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[sqlite3.Connection] = []
    connect = sqlite3.connect

    def noted(*args: Any, **options: Any) -> sqlite3.Connection:
        opened.append(connect(*args, **options, check_same_thread=False))
        return opened[-1]

    monkeypatch.setattr(sqlite3, "connect", noted)
    await FtsTable("facts", table, "facts").fetch("nine", 1)
    assert len(opened) == 2
    for connection in opened:
        with pytest.raises(sqlite3.ProgrammingError, match="closed database"):
            connection.execute("SELECT 1")


async def test_fts_table_is_only_read(table: Path) -> None:
    before = table.read_bytes()
    table.chmod(0o444)

    await texts(table, "nine")

    assert table.read_bytes() == before
    assert [file.name for file in table.parent.iterdir() if file.name.startswith("what")] == [table.name]


async def test_rows_that_are_written_later_are_found(table: Path) -> None:
    source = FtsTable("facts", table, "facts")
    with closing(sqlite3.connect(table)) as connection, connection:
        connection.execute("INSERT INTO facts VALUES ('Lamps', 'A zebra lamp.')")

    assert [document.text for document in await source.fetch("zebra", 5)] == ["Lamps A zebra lamp."]


async def test_empty_fts_table_finds_nothing(tmp_path: Path) -> None:
    assert await texts(write(tmp_path / "empty.sqlite", []), "nine") == []


@pytest.mark.parametrize("name", ["a#b.sqlite", "50%20.sqlite", "naïve file.sqlite", "x?mode=rwc.sqlite"])
async def test_fts_file_may_have_any_name(tmp_path: Path, name: str) -> None:
    assert await texts(write(tmp_path / name), "bicycles") == ["Repairs Bicycles are repaired."]


def test_fts_table_that_is_missing_is_refused(table: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="table 'gone': no such table"):
        FtsTable("facts", table, "gone")
    with pytest.raises(ConfigurationError, match="unable to open"):
        FtsTable("facts", tmp_path / "gone.sqlite", "facts")
    assert not (tmp_path / "gone.sqlite").exists()


def test_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "notes.sqlite").write_text("These are notes and no database. " * 100)
    with pytest.raises(
        ConfigurationError, match=r"context source 'f': .*notes\.sqlite, table 'facts': file is not a d"
    ):
        FtsTable("f", tmp_path / "notes.sqlite", "facts")


async def test_fts_table_without_an_index_is_a_source_error(table: Path) -> None:
    with pytest.raises(SourceError, match="context source 'p'"):
        await FtsTable("p", table, "plain").fetch("nine", 1)


async def test_fts_file_that_is_gone_is_a_source_error(table: Path) -> None:
    source = FtsTable("facts", table, "facts")
    table.unlink()
    with pytest.raises(SourceError, match="context source 'facts': unable to open"):
        await source.fetch("nine", 1)
    assert not table.exists()


HANDBOOK = [
    ("退货", "商品可以在三十天内退货。"),
    ("停车", "停车场在大楼后面。"),
    (None, "返品は三十日以内にできます。"),
    ("คืนสินค้า", "คืนได้ภายในสามสิบวัน"),
    ("App", "iPhone 的 App 设置"),
    ("Straße", "Der Weg zur Straße ist gesperrt."),
    ("हिन्दी", "वापसी तीस दिन में होती है।"),
]


@pytest.mark.parametrize(
    ("query", "title"),
    [
        ("几天内可以退货？", "退货"),
        ("停车场在哪里？", "停车"),
        ("返品できますか", "返品は"),
        ("อยากคืนสินค้า", "คืนสินค้า"),
        ("iPhone 设置在哪", "App"),
        ("straße", "Straße"),
        ("वापसी", "हिन्दी"),
        ("l'straße?", "Straße"),
    ],
)
async def test_fts_finds_rows_in_any_script(tmp_path: Path, query: str, title: str) -> None:
    assert (await texts(write(tmp_path / "handbook.sqlite", HANDBOOK), query))[0].startswith(title)


async def test_fts_finds_nothing_where_no_piece_is_shared(tmp_path: Path) -> None:
    assert await texts(write(tmp_path / "handbook.sqlite", HANDBOOK), "发票抬头") == []


async def test_fts_rows_in_a_script_without_blanks_are_bounded_by_top_k(tmp_path: Path) -> None:
    file = write(tmp_path / "many.sqlite", [(str(number), "商品可以退货。") for number in range(300)])

    assert len(await texts(file, "退货", 7)) == 7
