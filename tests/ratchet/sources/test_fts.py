import sqlite3
from pathlib import Path
from typing import Any

import pytest

from ratchet.errors import ConfigurationError, SourceError
from ratchet.sources.fts import FtsTable

pytestmark = pytest.mark.anyio


async def test_fts_table_ranks_rows_and_joins_columns(table: Path) -> None:
    source = FtsTable("facts", table, "facts")
    found = await source.fetch("nine opens", 5)
    assert {document.text for document in found} == {"Hours The shop opens at nine.", "nine nine nine"}
    assert found[0].score >= found[1].score > 0
    assert len(await source.fetch("nine", 1)) == 1


@pytest.mark.parametrize("query", ["zebra", "", "?", '"', 'x" OR "y', "NOT", "title:", "NEAR(a b)", "*", "-"])
async def test_fts_table_takes_any_query_as_plain_words(table: Path, query: str) -> None:
    assert await FtsTable("facts", table, "facts").fetch(query, 5) == []


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


def test_fts_table_that_is_missing_is_refused(table: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="table 'gone': no such table"):
        FtsTable("facts", table, "gone")
    with pytest.raises(ConfigurationError, match="unable to open"):
        FtsTable("facts", tmp_path / "gone.sqlite", "facts")
    assert not (tmp_path / "gone.sqlite").exists()


async def test_fts_table_without_an_index_is_a_source_error(table: Path) -> None:
    with pytest.raises(SourceError, match="context source 'p'"):
        await FtsTable("p", table, "plain").fetch("nine", 1)
