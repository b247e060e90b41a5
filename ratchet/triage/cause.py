"""The cause of one failure, found by trying."""

import json
from collections.abc import Callable
from typing import NamedTuple

from ratchet.concurrency import gather
from ratchet.engine import Engine, Workbench
from ratchet.errors import TriageError
from ratchet.evaluators import needs_expected
from ratchet.records import Attempt, Category, FailureBundle, FailureCause
from ratchet.tasks import Expected
from ratchet.triage.attempt import attempt
from ratchet.triage.treatments import Lack, Treatment, plan

MOST_ATTEMPTS = 9
"""Experiments on one failure at most, for each component that was called."""
EXCERPT = 300
"""Characters of a document that are kept as the missing information."""

Report = Callable[[str], None]


class _Found(NamedTuple):
    """The treatment that helped and what came of it."""

    treatment: Treatment
    attempt: Attempt


async def triage_failure(
    engine: Engine,
    bench: Workbench,
    failure: FailureBundle,
    *,
    broken: dict[str, str] | None = None,
    report: Report = lambda _: None,
) -> FailureCause:
    """Repeat the run, then try treatments stage by stage until one makes it pass.

    The one that does names the category: ``context``, ``prompt``, or ``capability`` where none does; a run that passes
    when it is simply repeated is ``unstable``. Sources in `broken` are left alone. Those that do not answer here are
    added to it with the error, so that a caller with many failures waits for each only once.

    Raises:
        TriageError: nothing can be found out about this failure, with the reason.
        ConfigurationError, ModelUnavailableError, BudgetError.
    """
    problem = await obstacle(engine, bench, failure)
    if problem:
        raise TriageError(problem)
    broken = {} if broken is None else broken
    report("repeating the failed run")
    attempts = [await attempt(engine, bench, failure, None)]
    if attempts[0].passed is None:
        why = attempts[0].error or "the output could not be scored"
        raise TriageError(f"failure {failure.id} cannot be repeated: {why}")
    found = None
    if not attempts[0].passed:
        found = await _first_that_helps(engine, bench, failure, attempts, broken, report)
    if found is None and not attempts[0].passed:
        _refuse_guessing(failure, attempts, broken)
    return _cause(failure, attempts, found)


async def obstacle(engine: Engine, bench: Workbench, failure: FailureBundle) -> str | None:
    """Why nothing can be found out about a failure by trying; None where it can."""
    task = bench.task
    if failure.component not in task.components or failure.component not in bench.prompts:
        return f"failure {failure.id} was made by component {failure.component!r}, which task {task.name} has no more"
    versions = [row["number"] for row in await engine.versions.history(task.name)]
    if failure.version not in versions:
        return (
            f"failure {failure.id} was made by version {failure.version} of the prompts, "
            f"which is not in the history of {task.name} (there are: {', '.join(map(str, sorted(versions)))})"
        )
    if failure.expected is None:
        lacking = [criterion.name for criterion in task.criteria if criterion.required and needs_expected(criterion)]
        if lacking:
            return f"failure {failure.id} has no expected output, which the criterion {lacking[0]!r} compares with"
    return None


async def _first_that_helps(
    engine: Engine,
    bench: Workbench,
    failure: FailureBundle,
    attempts: list[Attempt],
    broken: dict[str, str],
    report: Report,
) -> _Found | None:
    components = called_components(bench, failure)
    most = MOST_ATTEMPTS * len(components)
    lack = Lack(failure.evaluation.failed, len(bench.solved), bench.solved.of_each_answer(exclude=failure.input))
    for stage in plan(bench.task, bench.prompts, components, lack):
        open_ones = [treatment for treatment in stage if treatment.source not in broken][: most - len(attempts)]
        if open_ones:
            report(f"trying {', '.join(treatment.name for treatment in open_ones)}")
        tried = await gather(attempt(engine, bench, failure, treatment) for treatment in open_ones)
        attempts += tried
        broken |= {
            str(one.source): str(result.error)
            for one, result in zip(open_ones, tried, strict=True)
            if _no_answer(result) and one.source
        }
        for treatment, result in zip(open_ones, tried, strict=True):
            if result.passed:
                return _Found(treatment, result)
    return None


def called_components(bench: Workbench, failure: FailureBundle) -> list[str]:
    """The components that the failed run called, the one that wrote the output first."""
    called = [step.component for step in failure.trace if step.kind == "model" and step.component in bench.prompts]
    return list(dict.fromkeys([failure.component, *reversed(called)]))


def _no_answer(result: Attempt) -> bool:
    return result.passed is None and result.error is not None


def _refuse_guessing(failure: FailureBundle, attempts: list[Attempt], broken: dict[str, str]) -> None:
    """Nothing helped: that is a lack of capability only where the runs did not crash and everything could be tried."""
    first, *treated = attempts
    if first.error or (treated and all(result.error for result in treated)):
        crash = first.error or treated[0].error
        raise TriageError(f"failure {failure.id}: the run itself fails, whatever the prompt says: {crash}")
    undecided = [result for result in attempts if result.passed is None]
    errors = [result.error or f"{result.treatment}: the output could not be scored" for result in undecided]
    errors = errors or sorted(broken.values())
    if errors:
        raise TriageError(f"failure {failure.id}: the cause stays open, as not everything could be tried: {errors[0]}")


def _cause(failure: FailureBundle, attempts: list[Attempt], found: _Found | None) -> FailureCause:
    category = _category_without_remedy(attempts)
    if found:
        category = "prompt" if found.treatment.kind == "prompt" else "context"
    return FailureCause(
        failure=failure.id,
        category=category,
        component=found.treatment.component if found else failure.component,
        treatment=found.treatment.name if found else None,
        source=found.treatment.source if found else None,
        missing=missing_text(found.attempt, failure.expected) if found and category == "context" else "",
        calls=sum(result.calls for result in attempts),
        attempts=attempts,
    )


def _category_without_remedy(attempts: list[Attempt]) -> Category:
    """Unstable where the run passes when it is repeated. Where it was no whole answer then, or under no treatment, its
    ending: how it would have gone on says nothing about what the model can do."""
    first, *treated = attempts
    if first.passed:
        return "unstable"
    if first.ending != "answer":
        return first.ending
    whole = [result for result in treated if result.ending == "answer"]
    last = treated[-1].ending if treated else "answer"
    return "capability" if whole or last == "answer" else last


def missing_text(result: Attempt, expected: Expected) -> str:
    """The fetched text that holds an expected answer, around it; the first one where none does."""
    wanted = expected if isinstance(expected, list) else [expected]
    answers = [
        one if isinstance(one, str) else json.dumps(one, ensure_ascii=False) for one in wanted if one is not None
    ]
    for piece in result.fetched:
        for answer in answers:
            place = piece.text.casefold().find(answer.casefold())
            if place >= 0:
                return _around(piece.text, place)
    return _around(result.fetched[0].text, 0) if result.fetched else ""


def _around(text: str, place: int) -> str:
    start = max(0, place - EXCERPT // 2)
    return " ".join(text[start : start + EXCERPT].split())
