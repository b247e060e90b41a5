import asyncio
import threading

import pytest
from sqlalchemy import delete, update

from ratchet.ledger import Audit
from ratchet.store import Database
from ratchet.store.schema import audit as table

pytestmark = pytest.mark.anyio


@pytest.fixture
async def log(audit: Audit) -> Audit:
    for number in range(1, 6):
        await audit.note("ada", "apply", f"task-{number % 2}", f"version {number}", {"n": number, "rate": 0.1 + 0.2})
    return audit


async def test_verify_of_an_untouched_log_finds_nothing(log: Audit) -> None:
    assert await log.verify() == []


async def test_verify_of_an_empty_log_finds_nothing(audit: Audit) -> None:
    assert await audit.verify() == []


async def test_rows_are_the_newest_oldest_first(log: Audit) -> None:
    assert [row["seq"] for row in await log.rows(limit=2)] == [4, 5]
    assert [row["seq"] for row in await log.rows("task-1")] == [1, 3, 5]


@pytest.mark.parametrize(
    "values",
    [{"actor": "eve"}, {"detail": {"n": 99}}, {"at": "2020"}, {"action": "x"}, {"subject": "x"}, {"task": "x"}],
)
async def test_verify_finds_an_edited_row(log: Audit, database: Database, values: dict[str, object]) -> None:
    with database.write() as connection:
        connection.execute(update(table).where(table.c.seq == 3).values(values))
    assert await log.verify() == ["row 3: its content was changed"]


async def test_verify_finds_an_edited_hash(log: Audit, database: Database) -> None:
    with database.write() as connection:
        connection.execute(update(table).where(table.c.seq == 3).values(hash="0" * 64))
    assert await log.verify() == ["row 3: its content was changed", "row 4: a row before it was removed or changed"]


@pytest.mark.parametrize(("seq", "found"), [(1, 2), (3, 4), (4, 5)])
async def test_verify_finds_a_deleted_row(log: Audit, database: Database, seq: int, found: int) -> None:
    with database.write() as connection:
        connection.execute(delete(table).where(table.c.seq == seq))
    assert await log.verify() == [f"row {found}: a row before it was removed or changed"]


async def test_verify_finds_exchanged_rows(log: Audit, database: Database) -> None:
    with database.write() as connection:
        for old, new in ((2, 99), (3, 2), (99, 3)):
            connection.execute(update(table).where(table.c.seq == old).values(seq=new))
    assert await log.verify() != []


def test_chain_stays_whole_under_concurrent_notes(audit: Audit) -> None:
    def note(number: int) -> None:
        asyncio.run(audit.note("ada", "apply", "t", str(number), {}))

    threads = [threading.Thread(target=note, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(asyncio.run(audit.rows())) == 8
    assert asyncio.run(audit.verify()) == []
