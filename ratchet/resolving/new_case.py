"""A person approves a failed run, or an input of their own, as a case of a task."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from ratchet.engine import Engine, Workbench
from ratchet.errors import ConfigurationError, RefusalError
from ratchet.ledger.audit import append
from ratchet.store import Effect, now
from ratchet.store.cases import insert_case
from ratchet.store.failures import mark_failures
from ratchet.store.rows import CaseRow, FailureRow
from ratchet.tasks import Expected, Split, case_id, problem_of_expected, stable_split
from ratchet.text import normal_form


@dataclass(frozen=True)
class CaseRequest:
    """What a person wants to be a case."""

    task: str
    origin: str | None = None
    """A failure (F-...), or a cycle or review item (C-..., V-C-...) with one failure."""
    input: str | None = None
    """The input, where there is no origin."""
    expected: Expected = None
    """The right output; left out, the one that the failure has."""
    split: Split | None = None
    """Left out: training for what a cycle has worked on or what was a training case before, else by the stable hash."""
    tags: tuple[str, ...] = ()
    reviewer: str = "unknown"
    reason: str = ""


class ApprovedCase(NamedTuple):
    """A case that was added."""

    row: CaseRow
    as_it_was: bool
    """The expected output is the one that the failure had."""
    corrected: str | None
    """The failure of which the expected output was corrected."""


async def approve_case(engine: Engine, request: CaseRequest) -> ApprovedCase:
    """Add a case that no file holds; from the next run on it is a training, solved or held-out case like any other.

    Raises:
        ConfigurationError: no or several failures are meant, there is no input or no expected output, or a case with
            this input is there already. Nothing was changed.
        RefusalError: held out is asked for what a cycle has worked on, or for what was a training case before.
    """
    if (request.origin is None) == (request.input is None):
        raise ConfigurationError("a case is made either from a failure or from an input: give one of the two")
    bench = await engine.workbench(request.task)
    failure = await _failure(engine, bench.task.name, request.origin) if request.origin else None
    row = await new_case(engine, bench, request, failure)
    known = failure["bundle"]["expected"] if failure else None
    corrected = failure["id"] if failure and row["expected"] != known else None
    marks: list[Effect] = [partial(mark_failures, ids=[corrected], status="corrected")] if corrected else []
    await engine.store.transact([partial(insert_case, row=row), *marks, note_case(row, request.reason)])
    return ApprovedCase(row, failure is not None and corrected is None, corrected)


async def new_case(engine: Engine, bench: Workbench, request: CaseRequest, failure: FailureRow | None) -> CaseRow:
    """The row of a case that may be added. Nothing is written.

    Raises:
        ConfigurationError, RefusalError: see `approve_case`.
    """
    text = (failure["bundle"]["input"] if failure else request.input or "").strip()
    if not text:
        raise ConfigurationError("the input of the case is empty")
    task = bench.task.name
    form = normal_form(text)
    there = next((case for case in bench.cases if case.form == form), None)
    if there:
        raise ConfigurationError(
            f"{task}: the input is that of the case {there.id!r} already; change it in cases.jsonl if it stands there "
            f"(`ratchet cases list {task}` tells)"
        )
    seen = await _why_known(engine, task, form)
    if seen and request.split == "holdout":
        raise RefusalError(f"{seen}, so that proposals may be made for it: it can only become a training case")
    return {
        "task": task,
        "id": case_id(text),
        "input": text,
        "expected": _expectation(request, failure),
        "split": request.split or ("train" if seen else stable_split(text)),
        "tags": list(request.tags),
        "origin": failure["id"] if failure else None,
        "approved_by": request.reviewer,
        "created_at": now(),
    }


async def _why_known(engine: Engine, task: str, form: str) -> str:
    """Why proposals may know an input, given in normal form; "" where they cannot."""
    if form in await engine.store.failures.worked_on(task):
        return "a cycle has worked on this input"
    if form in await engine.store.cases.trained_on(task):
        return "this input was a training case before"
    return ""


def note_case(row: CaseRow, reason: str) -> Effect:
    """The audit row of a new case."""
    note: Callable[..., None] = append
    detail = {"reason": reason, "expected": row["expected"], "split": row["split"], "origin": row["origin"]}
    return partial(note, actor=row["approved_by"], action="case", task=row["task"], subject=row["id"], **detail)


def _expectation(request: CaseRequest, failure: FailureRow | None) -> Expected:
    expected: Expected = request.expected
    if expected is None and failure:
        expected = failure["bundle"]["expected"]
    if expected is None:
        raise ConfigurationError("no expected output is known for this input: say what is expected")
    problem = problem_of_expected(expected)
    if problem:
        raise ConfigurationError(problem)
    return expected


async def _failure(engine: Engine, task: str, origin: str) -> FailureRow:
    cycle = None if origin.startswith("F-") else await engine.store.cycles.get(origin.removeprefix("V-"))
    ids = cycle["document"].get("failures", []) if cycle else [origin]
    rows = [row for row in await engine.store.failures.select(ids) if row["task"] == task]
    if not rows:
        raise ConfigurationError(f"no failure {origin!r} of {task}; `ratchet failures {task} --status ''` lists them")
    if len(rows) > 1:
        named = ", ".join(row["id"] for row in rows[:10])
        raise ConfigurationError(f"{origin} has {len(rows)} failures, name one of them: {named}")
    return rows[0]
