"""The cause of a group of failures, found by trying."""

import asyncio
from collections.abc import Callable

from ratchet.engine import Engine, Workbench
from ratchet.records import Category, Diagnosis, Experiment, FailureBundle
from ratchet.triage.analyst import ask_analyst
from ratchet.triage.treatments import Treatment, combined_treatments, single_treatments
from ratchet.trial import Trial, replaced, score_all

SAMPLE = 8
"""Failures of a group that experiments are made on."""
STABLE_SHARE = 0.5
"""A group of which this share passes when simply repeated is unstable."""

LEAST_SHARE = 0.2
"""A treatment that fixes less than this share of the sample names no cause: one lucky run is not evidence."""

CLEAR_SHARE = 0.5
"""A source that fixes this share at one depth is not tried at another."""

Report = Callable[[str], None]


async def diagnose_failures(
    engine: Engine, bench: Workbench, failures: list[FailureBundle], report: Report = lambda _: None
) -> Diagnosis:
    """Try treatments on (a sample of) the failures and name the cause.

    First the run is repeated as it was. Then context from each source, the failed criteria's requirements, and similar
    solved cases are tried one by one, and together only where nothing helped alone. What fixes most names the
    category: ``context``, ``prompt``, or ``capability`` where nothing fixes any.

    Raises:
        ConfigurationError, ModelUnavailableError, BudgetError.
    """
    component = failures[0].component
    prompt = bench.prompts[component]
    sample = spread(failures, SAMPLE)
    failed = sorted({name for failure in failures for name in failure.evaluation.failed})
    opinion = asyncio.create_task(ask_analyst(engine.models, prompt, sample))
    try:
        report("repeating the failed runs")
        evidence = [
            await _experiment(engine, bench, sample, component, Treatment("repeat", "prompt", prompt), repeat=1)
        ]
        tried: list[tuple[Treatment, Experiment]] = []
        if evidence[0].rate < STABLE_SHARE:
            tried = await _try(
                engine, bench, sample, single_treatments(bench.task, prompt, failed, len(bench.solved)), report
            )
            if not any(experiment.rate >= LEAST_SHARE for _, experiment in tried):
                both = combined_treatments(bench.task, prompt, failed, len(bench.solved))
                tried += await _try(engine, bench, sample, both, report)
        view = await opinion
    finally:
        opinion.cancel()
    category, best = _conclude(evidence[0], tried)
    return Diagnosis(
        category=category,
        component=component,
        failures=[failure.id for failure in failures],
        explanation=_explain(category, evidence[0], best, len(sample)),
        missing=view.missing if category == "context" else "",
        source=best[0].source if best and category == "context" else None,
        problems=sorted({problem for failure in sample for problem in failure.evaluation.problems})[:10],
        evidence=evidence + [experiment for _, experiment in tried],
        opinion=view,
        agreement=None if view.category is None else view.category == category,
    )


def spread(failures: list[FailureBundle], count: int) -> list[FailureBundle]:
    """`count` failures spread evenly over the list, so that old and new ones are represented."""
    if len(failures) <= count:
        return failures
    return [failures[i * len(failures) // count] for i in range(count)]


async def _try(
    engine: Engine, bench: Workbench, sample: list[FailureBundle], treatments: list[Treatment], report: Report
) -> list[tuple[Treatment, Experiment]]:
    tried: list[tuple[Treatment, Experiment]] = []
    component = sample[0].component
    for treatment in treatments:
        if any(
            earlier.source == treatment.source and found.rate >= CLEAR_SHARE
            for earlier, found in tried
            if earlier.source
        ):
            continue
        report(f"trying {treatment.name}")
        tried.append((treatment, await _experiment(engine, bench, sample, component, treatment)))
    return tried


async def _experiment(
    engine: Engine,
    bench: Workbench,
    sample: list[FailureBundle],
    component: str,
    treatment: Treatment,
    repeat: int = 0,
) -> Experiment:
    prompts = replaced(bench.prompts, component, treatment.prompt)
    trials = [Trial(failure.input, failure.expected) for failure in sample]
    scored = await score_all(engine, bench, prompts, trials, repeat=repeat)
    return Experiment(
        treatment=treatment.name,
        passed=sum(result.evaluation.passed is True for result in scored),
        total=len(scored),
        outputs=[
            {"failure": failure.id, "output": result.output, "passed": result.evaluation.passed}
            for failure, result in zip(sample, scored, strict=True)
        ],
    )


def _conclude(
    repeat: Experiment, tried: list[tuple[Treatment, Experiment]]
) -> tuple[Category, tuple[Treatment, Experiment] | None]:
    if repeat.rate >= STABLE_SHARE and repeat.passed:
        return "unstable", None
    helped = [
        (treatment, experiment)
        for treatment, experiment in tried
        if experiment.passed > repeat.passed and experiment.rate >= LEAST_SHARE
    ]
    if not helped:
        return "capability", None
    # Of treatments that help equally the wording is preferred: it costs less in every later run than a retrieval.
    best = max(helped, key=lambda pair: (pair[1].passed, pair[0].kind == "prompt"))
    return ("prompt" if best[0].kind == "prompt" else "context"), best


def _explain(category: Category, repeat: Experiment, best: tuple[Treatment, Experiment] | None, size: int) -> str:
    if category == "unstable":
        return f"{repeat.passed} of {size} failed runs pass when they are simply repeated"
    if best is None:
        return f"no treatment makes more than a stray one of {size} failed runs pass; the model seems unable to do it"
    treatment, experiment = best
    return f"{experiment.passed} of {size} failed runs pass with {treatment.name}, {repeat.passed} when just repeated"
