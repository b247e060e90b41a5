"""The held-out cases of each test at the gate, in their order: settled before its first result, and kept."""

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import Connection, func, insert, select, update

from ratchet.concurrency import threaded
from ratchet.store.database import Database, fetch_rows, insert_once
from ratchet.store.rows import GateCaseRow, NewGateCase
from ratchet.store.schema import gate_cases
from ratchet.text import normal_form


class GateCases:
    """One row for each case of a test."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @threaded
    def of_test(self, test_id: str) -> list[GateCaseRow]:
        """The cases of a test in their order; none where it has not begun."""
        with self._database.read() as connection:
            return _of_test(connection, test_id)

    @threaded
    def settle(self, test_id: str, task: str, chosen: Sequence[NewGateCase]) -> list[GateCaseRow]:
        """Take the `chosen` cases for a test, in this order. Where it has cases already, these stand and come back."""
        rows: list[GateCaseRow] = [
            {**case, "test_id": test_id, "place": place, "task": task, "seen": 0} for place, case in enumerate(chosen)
        ]
        with self._database.write() as connection:
            if rows and insert_once(connection, gate_cases, rows[0]) and rows[1:]:
                connection.execute(insert(gate_cases), rows[1:])
            return _of_test(connection, test_id)

    @threaded
    def note_seen(self, test_id: str, case_ids: set[str]) -> None:
        """Note which cases a finished test has looked at: it may have stopped before the others."""
        mine = (gate_cases.c.test_id == test_id, gate_cases.c.case_id.in_(sorted(case_ids)))
        with self._database.write() as connection:
            connection.execute(update(gate_cases).where(*mine).values(seen=1))

    @threaded
    def decisions(self, task: str) -> Counter[str]:
        """In how many finished tests of a task each input was looked at, by its normal form."""
        query = (
            select(gate_cases.c.input, func.count())
            .where(gate_cases.c.task == task, gate_cases.c.seen == 1)
            .group_by(gate_cases.c.input)
        )
        found: Counter[str] = Counter()
        with self._database.read() as connection:
            for text, count in connection.execute(query):
                found[normal_form(text)] += count
        return found


def _of_test(connection: Connection, test_id: str) -> list[GateCaseRow]:
    query = select(gate_cases).where(gate_cases.c.test_id == test_id).order_by(gate_cases.c.place)
    return fetch_rows(connection, query, GateCaseRow)
