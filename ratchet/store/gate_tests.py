"""The tests a task has spent its error budget on, in order: what error control across cycles needs to know."""

from collections.abc import Callable

from sqlalchemy import Connection, func, insert, select, update

from ratchet.concurrency import threaded
from ratchet.records import GateVerdict
from ratchet.store.database import Database
from ratchet.store.schema import gate_tests


class GateTests:
    """One row for each test: for each proposal that reached the gate."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @threaded
    def level(self, task: str, test_id: str, allot: Callable[[int, int], float]) -> float:
        """The error level of a test: `allot(number, discoveries)` at the first call, the same value ever after."""
        with self._database.write() as connection:
            kept = connection.execute(select(gate_tests.c.level).where(gate_tests.c.test_id == test_id)).scalar()
            if kept is not None:
                return float(kept)
            number, discoveries = _next(connection, task)
            level = allot(number, discoveries)
            connection.execute(insert(gate_tests).values(test_id=test_id, task=task, number=number, level=level))
            return level

    @threaded
    def next_level(self, task: str, allot: Callable[[int, int], float]) -> float:
        """The error level that the next test of a task would get; nothing is allotted."""
        with self._database.read() as connection:
            return allot(*_next(connection, task))

    @threaded
    def finish(self, test_id: str, verdict: GateVerdict) -> None:
        """Note how a test ended."""
        with self._database.write() as connection:
            connection.execute(update(gate_tests).where(gate_tests.c.test_id == test_id).values(verdict=verdict))


def _next(connection: Connection, task: str) -> tuple[int, int]:
    """The number of a task's next test, and how many before it have shown a better prompt."""
    mine = gate_tests.c.task == task
    number = int(connection.execute(select(func.count()).where(mine)).scalar_one()) + 1
    query = select(func.count()).where(mine, gate_tests.c.verdict == "better")
    return number, int(connection.execute(query).scalar_one())
