"""How often triage names the cause that a person names, beside the analyst model alone."""

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple, Protocol

from ratchet.calibration.labels import TriageLabel
from ratchet.calibration.sample import balance
from ratchet.concurrency import Progress, for_each
from ratchet.engine import Engine, Workbench
from ratchet.errors import ConfigurationError, ModelError, ModelUnavailableError, SourceError, TriageError
from ratchet.gate import measure
from ratchet.llm import Meter, metered
from ratchet.records import AgentRun, Category, FailureBundle, Measure, Record
from ratchet.store import now
from ratchet.triage.analyst import ask_analyst

NONE = "none"
"""Column of the failures for which no category was named."""


class Cause(Protocol):
    """What triage found; `ratchet.records.FailureCause` has more."""

    category: Category


Triage = Callable[[Engine, Workbench, FailureBundle], Awaitable[Cause]]
"""``triage_failure`` of `ratchet.triage`."""
Confusion = dict[str, dict[str, int]]
"""Counts by label, then by the category that was named; only what occurred."""


class TriageAgreement(Record):
    """Triage and the analyst alone beside people's labels. Shares come with their 95 % Wilson intervals."""

    n: int
    """Labelled failures that were tried."""
    accuracy: Measure
    """Of these: triage names the label. A failure that could not be triaged is not right."""
    confusion: Confusion
    analyst: Measure
    """The same of the analyst model asked alone, with no experiment."""
    analyst_confusion: Confusion
    analyst_model: str
    did_not_fail: list[str]
    """Labels whose input passes when it is served (``FILE:LINE``); left out of all figures."""
    problems: list[str]
    """Why failures could not be triaged, each with its ``FILE:LINE``."""
    calls: int
    reused: int
    calls_per_failure: float
    """Model calls that triage takes, paid or reused."""
    analyst_calls_per_failure: float


class CallCount(NamedTuple):
    """Model calls, those paid for and those whose reply was kept from earlier."""

    paid: int = 0
    reused: int = 0

    @classmethod
    def of(cls, meter: Meter) -> "CallCount":
        """What a meter counted."""
        return cls(meter.calls, sum(usage.reused for usage in meter.roles.values()))


class _Tried(NamedTuple):
    """One label: what was named, or why nothing was. With `failed` false the input passes and says nothing."""

    label: TriageLabel
    failed: bool = True
    triage: str = NONE
    analyst: str = NONE
    problem: str = ""
    spent: CallCount = CallCount()
    spent_alone: CallCount = CallCount()


async def measure_triage(
    engine: Engine,
    bench: Workbench,
    labels: Sequence[TriageLabel],
    triage: Triage,
    *,
    limit: int | None = None,
    progress: Progress | None = None,
) -> TriageAgreement:
    """Triage labelled failures: all, or the first `limit` of a balanced sample. Nothing is stored but model replies.

    Raises:
        ConfigurationError, ModelUnavailableError: a stored failure is another task's; a model is refused or does not
            answer at all.
    """
    sample = balance(labels, lambda label: label.category, lambda label: label.input)[:limit]
    places = {label.where for label in sample}

    async def one(label: TriageLabel) -> _Tried:
        return await _try(engine, bench, label, triage)

    chosen = [label for label in labels if label.where in places]
    tried = await for_each(chosen, one, engine.settings.concurrency, progress)
    failed = [item for item in tried if item.failed]
    return TriageAgreement(
        n=len(failed),
        accuracy=measure(sum(item.triage == item.label.category for item in failed), len(failed)),
        confusion=_confusion((item.label.category, item.triage) for item in failed),
        analyst=measure(sum(item.analyst == item.label.category for item in failed), len(failed)),
        analyst_confusion=_confusion((item.label.category, item.analyst) for item in failed),
        analyst_model=str(engine.models.spec("analyst")),
        did_not_fail=[item.label.where for item in tried if not item.failed],
        problems=[f"{item.label.where}: {item.problem}" for item in failed if item.problem],
        calls=sum(item.spent.paid + item.spent_alone.paid for item in tried),
        reused=sum(item.spent.reused + item.spent_alone.reused for item in tried),
        calls_per_failure=_average([item.spent for item in failed]),
        analyst_calls_per_failure=_average([item.spent_alone for item in failed]),
    )


def _confusion(pairs: Iterable[tuple[str, str]]) -> Confusion:
    found: Confusion = {}
    for (label, named), count in sorted(Counter(pairs).items()):
        found.setdefault(label, {})[named] = count
    return found


def _average(spent: list[CallCount]) -> float:
    return round(sum(one.paid + one.reused for one in spent) / len(spent), 2) if spent else 0.0


async def _try(engine: Engine, bench: Workbench, label: TriageLabel, triage: Triage) -> _Tried:
    try:
        failure = await _failure(engine, bench, label)
    except ModelUnavailableError:
        raise
    except (ModelError, SourceError, TriageError) as error:
        return _Tried(label, problem=str(error))
    if failure is None:
        return _Tried(label, failed=False)
    # A stored failure is looked at under the prompts that it happened under, not those that may have mended it since.
    then = replace(bench, prompts={**bench.prompts, **failure.prompts})
    named, problem = NONE, ""
    with metered(Meter()) as spent:
        try:
            named = (await triage(engine, then, failure)).category
        except TriageError as error:
            problem = str(error)
    with metered(Meter()) as spent_alone:
        opinion = await ask_analyst(engine.models, then.prompts.get(failure.component), [failure])
    return _Tried(label, True, named, opinion.category or NONE, problem, CallCount.of(spent), CallCount.of(spent_alone))


async def _failure(engine: Engine, bench: Workbench, label: TriageLabel) -> FailureBundle | None:
    """The stored failure that the label names; otherwise the input is served, and None says that it passes.

    Raises:
        ConfigurationError: the failure is another task's.
        ModelError, SourceError, TriageError: the input cannot be served, or what comes of it cannot be scored.
    """
    if label.failure_id is not None:
        for bundle in await engine.store.failures.bundles([label.failure_id]):
            if bundle.task != bench.task.name:
                raise ConfigurationError(f"{label.where}: failure {bundle.id} is one of task {bundle.task}")
            return bundle
    run = await engine.run(bench, label.input, prompts=bench.prompts)
    evaluation = await engine.evaluate(bench, label.input, run.output, label.expected, run.trace)
    if evaluation.passed is None:
        why = "; ".join(evaluation.problems) or "the label says no expected output"
        raise TriageError(f"the run could not be scored ({why})")
    if evaluation.passed:
        return None
    return FailureBundle(
        id=f"label-{label.where.rpartition(':')[2]}",
        run_id="",
        task=bench.task.name,
        component=_writer(bench, run),
        input=label.input,
        output=run.output,
        expected=label.expected,
        evaluation=evaluation,
        prompts=bench.prompts,
        version=bench.version,
        rules_hash=bench.rules.hash,
        model=str(engine.models.spec("agent")),
        trace=run.trace,
        source=label.where,
        thread_id=None,
        created_at=now(),
    )


def _writer(bench: Workbench, run: AgentRun) -> str:
    """The component that wrote the output: the last one that was called."""
    called = [step.component for step in run.trace if step.kind == "model"]
    return next((name for name in reversed(called) if name in bench.task.components), bench.task.components[0])
