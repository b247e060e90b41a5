"""Runs of the agent and the failures among them."""

from typing import Any, NamedTuple

from sqlalchemy import Connection, Text, and_, bindparam, case, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from ratchet.concurrency import threaded
from ratchet.records import FailureBundle
from ratchet.store.database import Database
from ratchet.store.schema import failures, now, runs

FailureRow = dict[str, Any]
"""id, run_id, task, component, group_key, status, cycle_id, source, bundle, created_at."""
WAITING = ("escalated", "open")
"""Statuses of failures that a person may answer; those on which only the budget of a cycle ended are open."""
IN_HANDS = ("in_cycle", "escalated")
"""Statuses of failures that a cycle works on or has left to a person."""
CLOSED_BY_PERSON = ("corrected", "dismissed")
"""Statuses of failures that only another answer of a person changes."""


class ScoredRun(NamedTuple):
    """Whether a run passed, who it came from, and, where that is called a case, its input, else ""."""

    passed: bool
    source: str
    input: str


class PastRun(NamedTuple):
    """What a run of live traffic was asked, and what was expected of it."""

    id: str
    source: str
    input: str
    expected: Any
    created_at: str


class Runs:
    """Every run that was served, scored or not."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @threaded
    def add(self, run_id: str, task: str, source: str, document: dict[str, Any], *, version: int) -> None:
        """Store a run; storing it again (a node that ran twice) changes nothing."""
        evaluation = document["evaluation"]
        row = {
            "id": run_id,
            "task": task,
            "thread_id": document["thread_id"],
            "source": source,
            "passed": None if evaluation["passed"] is None else int(evaluation["passed"]),
            "score": evaluation["score"],
            "version": version,
            "document": document,
            "created_at": now(),
        }
        try:
            with self._database.write() as connection:
                connection.execute(insert(runs).values(row))
        except IntegrityError:
            return

    @threaded
    def served_cases(self, task: str, version: int) -> set[tuple[str, str]]:
        """Source and input of the runs under one version that say they are known cases. A failed run whose failure is
        not stored does not count: its process ended in between."""
        query = (
            select(runs.c.source, runs.c.document["input"].as_string())
            .outerjoin(failures, failures.c.run_id == runs.c.id)
            .where(
                runs.c.task == task,
                runs.c.version == version,
                runs.c.source.like("case:%"),
                or_(runs.c.passed.is_(None), runs.c.passed == 1, failures.c.id.is_not(None)),
            )
            .distinct()
        )
        with self._database.read() as connection:
            return {(source, text) for source, text in connection.execute(query)}

    @threaded
    def outcomes(self, task: str, version: int) -> list[ScoredRun]:
        """The scored runs under one version, oldest first."""
        text = runs.c.document["input"].as_string()  # documents are large: only those are opened that have to be
        query = (
            select(runs.c.passed, runs.c.source, case((runs.c.source.like("case:%"), text), else_=""))
            .where(runs.c.task == task, runs.c.version == version, runs.c.passed.is_not(None))
            .order_by(runs.c.created_at)
        )
        with self._database.read() as connection:
            return [ScoredRun(bool(passed), source, text) for passed, source, text in connection.execute(query)]

    @threaded
    def recent(self, task: str, *, per_source: int, limit: int) -> list[PastRun]:
        """Scored runs of live traffic, passed or failed, newest first; the newest of each source, so that none fills
        the list. Runs that say they are known cases do not count."""
        newest = func.row_number().over(partition_by=runs.c.source, order_by=(runs.c.created_at.desc(), runs.c.id))
        ranked = (
            select(runs.c.id, newest.label("place"))
            .where(runs.c.task == task, runs.c.passed.is_not(None), runs.c.source.not_like("case:%"))
            .subquery()
        )
        asked, expected = runs.c.document["input"].as_string(), runs.c.document["expected"]
        query = (
            select(runs.c.id, runs.c.source, asked, expected, runs.c.created_at)
            .join(ranked, ranked.c.id == runs.c.id)
            .where(ranked.c.place <= per_source)
            .order_by(runs.c.created_at.desc(), runs.c.id)
            .limit(limit)
        )
        with self._database.read() as connection:
            return [PastRun(*row) for row in connection.execute(query)]


class Failures:
    """Failure bundles. Statuses: open, in_cycle, fixed, superseded, escalated.

    By a person's answer: corrected (something else was expected, and is a case now), dismissed.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @threaded
    def add(self, bundle: FailureBundle, group_key: str) -> None:
        """Store a failure; storing it again changes nothing."""
        row = {
            "id": bundle.id,
            "run_id": bundle.run_id,
            "task": bundle.task,
            "component": bundle.component,
            "group_key": group_key,
            "status": "open",
            "source": bundle.source,
            "bundle": bundle.model_dump(mode="json"),
            "created_at": bundle.created_at,
        }
        try:
            with self._database.write() as connection:
                connection.execute(insert(failures).values(row))
        except IntegrityError:
            return

    @threaded
    def of_task(self, task: str, status: str | None = None, limit: int = 100_000) -> list[dict[str, Any]]:
        """Rows of a task, oldest first: id, component, group_key, status, cycle_id, source, created_at, bundle."""
        query = select(failures).where(failures.c.task == task).order_by(failures.c.created_at).limit(limit)
        if status:
            query = query.where(failures.c.status == status)
        with self._database.read() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    @threaded
    def bundles(self, ids: list[str]) -> list[FailureBundle]:
        """The bundles of the given failures, oldest first."""
        query = select(failures.c.bundle).where(failures.c.id.in_(ids)).order_by(failures.c.created_at)
        with self._database.read() as connection:
            return [FailureBundle.model_validate(bundle) for bundle in connection.execute(query).scalars()]

    @threaded
    def select(self, ids: list[str]) -> list[FailureRow]:
        """The rows of the given failures, oldest first."""
        query = select(failures).where(failures.c.id.in_(ids)).order_by(failures.c.created_at)
        with self._database.read() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    @threaded
    def was_worked_on(self, task: str, text: str) -> bool:
        """Whether a cycle has worked on a failure with the input `text`, white space around it aside."""
        with self._database.read() as connection:
            return text.strip() in _worked_on(connection, task)

    @threaded
    def worked_on(self, task: str) -> set[str]:
        """The inputs, without outer white space, of all failures that a cycle has ever worked on."""
        with self._database.read() as connection:
            return _worked_on(connection, task)

    @threaded
    def in_hands(self, task: str, since: str) -> dict[str, int]:
        """How many failures since that time are in a cycle or handed over to a person, by group."""
        query = (
            select(failures.c.group_key, func.count())
            .where(failures.c.task == task, failures.c.status.in_(IN_HANDS), failures.c.created_at >= since)
            .group_by(failures.c.group_key)
        )
        with self._database.read() as connection:
            return {key: int(count) for key, count in connection.execute(query)}

    @threaded
    def count_open(self, task: str) -> int:
        """How many failures of a task wait for a cycle."""
        query = select(func.count()).where(and_(failures.c.task == task, failures.c.status == "open"))
        with self._database.read() as connection:
            return int(connection.execute(query).scalar_one())

    @threaded
    def mark(self, ids: list[str], status: str, cycle_id: str | None = None) -> None:
        """Set the status of failures, see `mark_failures`, and the cycle they belong to."""
        with self._database.write() as connection:
            if cycle_id:
                connection.execute(update(failures).where(failures.c.id.in_(ids)).values(cycle_id=cycle_id))
            mark_failures(connection, ids, status)

    @threaded
    def leave_cycle(self, cycle_id: str, status: str, was: tuple[str, ...] = ("in_cycle",)) -> None:
        """Set the status of all failures that a cycle works on; those it let go before stay as they are."""
        with self._database.write() as connection:
            mark_of_cycle(connection, cycle_id, status, was)

    @threaded
    def of_cycle(self, cycle_id: str, ids: list[str], limit: int = 1000) -> list[FailureRow]:
        """The failures that a cycle worked on last, and those of the given `ids`, oldest first."""
        mine = or_(failures.c.cycle_id == cycle_id, failures.c.id.in_(ids))
        query = select(failures).where(mine).order_by(failures.c.created_at).limit(limit)
        with self._database.read() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    @threaded
    def regroup(self, assignments: dict[str, str]) -> None:
        """Refine the group keys of failures, given by id: a key may be extended, any other change is left out.

        So a failure that another process has given a group in the meantime stays in that one.
        """
        key = bindparam("new_key", type_=Text)
        query = (
            update(failures)
            .where(failures.c.id == bindparam("failure_id"))
            .where(func.substr(key, 1, func.length(failures.c.group_key)) == failures.c.group_key)
            .values(group_key=key)
        )
        values = [{"failure_id": failure, "new_key": key} for failure, key in assignments.items()]
        if values:
            with self._database.write() as connection:
                connection.execute(query, values)

    @threaded
    def supersede(self, task: str, component: str) -> None:
        """Set aside the open failures of a component whose prompt has changed: they happened under the old one."""
        with self._database.write() as connection:
            connection.execute(
                update(failures)
                .where(failures.c.task == task, failures.c.component == component, failures.c.status == "open")
                .values(status="superseded")
            )


def _worked_on(connection: Connection, task: str) -> set[str]:
    query = select(failures.c.bundle["input"].as_string()).where(
        failures.c.task == task, failures.c.cycle_id.is_not(None)
    )
    return {text.strip() for text in connection.execute(query).scalars()}


def mark_failures(connection: Connection, ids: list[str], status: str, was: tuple[str, ...] | None = None) -> int:
    """Set the status of failures, where `was` is given only of those with such a status; says of how many.

    What a person has closed stays closed, unless the new status is a person's answer too.
    """
    query = update(failures).where(failures.c.id.in_(ids))
    if was:
        query = query.where(failures.c.status.in_(was))
    if status not in CLOSED_BY_PERSON:
        query = query.where(failures.c.status.not_in(CLOSED_BY_PERSON))
    return connection.execute(query.values(status=status)).rowcount


def mark_of_cycle(connection: Connection, cycle_id: str, status: str, was: tuple[str, ...]) -> None:
    """Set the status of those failures that a cycle worked on last and that have one of the statuses `was`."""
    mine = (failures.c.cycle_id == cycle_id, failures.c.status.in_(was))
    connection.execute(update(failures).where(*mine).values(status=status))


def count_waiting(connection: Connection, cycle_id: str) -> int:
    """How many of the failures that a cycle worked on last wait for a person."""
    query = select(func.count()).where(failures.c.cycle_id == cycle_id, failures.c.status.in_(WAITING))
    return int(connection.execute(query).scalar_one())
