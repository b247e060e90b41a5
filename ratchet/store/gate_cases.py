"""The held-out cases of each test at the gate, in their order: settled before its first result, and kept."""

from collections import Counter
from typing import Any

from sqlalchemy import Connection, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from ratchet.concurrency import threaded
from ratchet.store.database import Database
from ratchet.store.schema import gate_cases

GateCaseRow = dict[str, Any]
"""test_id, place (from 0), task, case_id, input, expected, run_id (None for a case of the task), seen (0 or 1)."""


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
    def settle(self, test_id: str, task: str, chosen: list[GateCaseRow]) -> list[GateCaseRow]:
        """Take the `chosen` cases (case_id, input, expected, run_id) for a test, in this order. Where it has cases
        already, these stand and come back."""
        mine = {"test_id": test_id, "task": task, "seen": 0}
        rows = [row | mine | {"place": place} for place, row in enumerate(chosen)]
        try:
            with self._database.write() as connection:
                if rows and not _of_test(connection, test_id):
                    connection.execute(insert(gate_cases), rows)
        except IntegrityError:  # another process was faster
            pass
        with self._database.read() as connection:
            return _of_test(connection, test_id)

    @threaded
    def note_seen(self, test_id: str, case_ids: set[str]) -> None:
        """Note which cases a finished test has looked at: it may have stopped before the others."""
        mine = (gate_cases.c.test_id == test_id, gate_cases.c.case_id.in_(sorted(case_ids)))
        with self._database.write() as connection:
            connection.execute(update(gate_cases).where(*mine).values(seen=1))

    @threaded
    def decisions(self, task: str) -> Counter[str]:
        """In how many finished tests of a task each input was looked at, by the input without outer white space."""
        query = (
            select(gate_cases.c.input, func.count())
            .where(gate_cases.c.task == task, gate_cases.c.seen == 1)
            .group_by(gate_cases.c.input)
        )
        found: Counter[str] = Counter()
        with self._database.read() as connection:
            for text, count in connection.execute(query):
                found[text.strip()] += count
        return found


def _of_test(connection: Connection, test_id: str) -> list[GateCaseRow]:
    query = select(gate_cases).where(gate_cases.c.test_id == test_id).order_by(gate_cases.c.place)
    return [dict(row) for row in connection.execute(query).mappings()]
