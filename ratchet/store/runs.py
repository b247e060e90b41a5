"""Runs of the agent."""

from collections import Counter
from typing import NamedTuple, TypedDict

from sqlalchemy import func, not_, or_, select, update

from ratchet.concurrency import threaded
from ratchet.store.database import Database, fetch_rows, insert_once
from ratchet.store.documents import EvaluationDocument, RunDocument
from ratchet.store.rows import RunRow
from ratchet.store.schema import failures, now, runs
from ratchet.tasks import CASE_SOURCE, Expected
from ratchet.text import normal_form

_NAMES_CASE = func.substr(runs.c.source, 1, len(CASE_SOURCE)) == CASE_SOURCE
"""`ratchet.tasks.names_case` of a run's source; LIKE would take capital letters for small ones on SQLite."""


class RunTally(NamedTuple):
    """How many scored runs are alike. Source and input are "" but for runs that say they are known cases."""

    passed: bool
    source: str
    input: str
    runs: int


class PastRun(NamedTuple):
    """What a run of live traffic was asked, and what was expected of it."""

    id: str
    source: str
    input: str
    expected: Expected
    created_at: str


class Runs:
    """Every run that was served, scored or not."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @threaded
    def add(self, run_id: str, task: str, source: str, document: RunDocument, *, version: int) -> None:
        """Store a run as it was served; storing it again (a node that ran twice) changes nothing."""
        row: RunRow = {
            "id": run_id,
            "task": task,
            "thread_id": document["thread_id"],
            "source": source,
            **_scores(document["evaluation"]),
            "version": version,
            "document": document,
            "created_at": now(),
        }
        with self._database.write() as connection:
            insert_once(connection, runs, row)

    @threaded
    def get(self, run_id: str) -> RunRow | None:
        """The run of that id."""
        query = select(runs).where(runs.c.id == run_id)
        with self._database.read() as connection:
            return next(iter(fetch_rows(connection, query, RunRow)), None)

    @threaded
    def score(self, run_id: str, evaluation: EvaluationDocument) -> None:
        """Note the evaluation of a run that has none yet."""
        with self._database.write() as connection:
            document = connection.execute(select(runs.c.document).where(runs.c.id == run_id)).scalar()
            if document is not None and document["evaluation"] is None:
                values = {"document": document | {"evaluation": evaluation}, **_scores(evaluation)}
                connection.execute(update(runs).where(runs.c.id == run_id).values(values))

    @threaded
    def served_cases(self, task: str, version: int) -> set[tuple[str, str]]:
        """Source and normal form of the input of the runs under one version that say they are known cases.

        A run that is not scored does not count, whether its process ended before or it could not be; nor does a failed
        one whose failure is not stored."""
        query = (
            select(runs.c.source, runs.c.document["input"].as_string())
            .outerjoin(failures, failures.c.run_id == runs.c.id)
            .where(
                runs.c.task == task,
                runs.c.version == version,
                _NAMES_CASE,
                or_(runs.c.passed == 1, failures.c.id.is_not(None)),
            )
            .distinct()
        )
        with self._database.read() as connection:
            found = connection.execute(query).all()
        return {(source, normal_form(text)) for source, text in found}

    @threaded
    def tallies(self, task: str, version: int) -> list[RunTally]:
        """The scored runs under one version, counted: those that say they are known cases by source and input."""
        scored = (runs.c.task == task, runs.c.version == version, runs.c.passed.is_not(None))
        plain = select(runs.c.passed, func.count()).where(*scored, not_(_NAMES_CASE)).group_by(runs.c.passed)
        asked = runs.c.document["input"].as_string()  # documents are large: only those are opened that have to be
        named = select(runs.c.passed, runs.c.source, asked).where(*scored, _NAMES_CASE)
        with self._database.read() as connection:
            tallies = [RunTally(bool(passed), "", "", count) for passed, count in connection.execute(plain)]
            alike = Counter((passed, source, text) for passed, source, text in connection.execute(named))
        return tallies + [RunTally(bool(passed), source, text, n) for (passed, source, text), n in alike.items()]

    @threaded
    def recent(self, task: str, *, per_source: int, limit: int) -> list[PastRun]:
        """Scored runs of live traffic, passed or failed, newest first; the newest of each source, so that none fills
        the list. Runs that say they are known cases do not count."""
        newest = func.row_number().over(partition_by=runs.c.source, order_by=(runs.c.created_at.desc(), runs.c.id))
        ranked = (
            select(runs.c.id, newest.label("place"))
            .where(runs.c.task == task, runs.c.passed.is_not(None), not_(_NAMES_CASE))
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


class _Scores(TypedDict):
    passed: int | None
    score: float | None


def _scores(evaluation: EvaluationDocument | None) -> _Scores:
    if evaluation is None or evaluation["passed"] is None:
        return {"passed": None, "score": evaluation and evaluation["score"]}
    return {"passed": int(evaluation["passed"]), "score": evaluation["score"]}
