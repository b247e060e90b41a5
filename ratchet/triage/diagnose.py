"""The cause of a group of failures: what was found for a sample of them, put together."""

from collections import Counter
from collections.abc import Callable, Sequence

from ratchet.concurrency import both, gather
from ratchet.counting import quantity
from ratchet.engine import Engine, Workbench
from ratchet.errors import TriageError
from ratchet.grouping import representative_sample
from ratchet.records import ENDINGS, Category, Diagnosis, Experiment, FailureBundle, FailureCause
from ratchet.triage.analyst import ask_analyst
from ratchet.triage.cause import triage_failure
from ratchet.triage.new_wording import try_new_wording

SAMPLE = 8
"""Failures of a group that experiments are made on."""
FIRST = 4
"""Of which these come first; where all of them have the same cause, and it is one that a change can mend, the rest is
left alone."""
STABLE_SHARE = 0.5
"""A group of which this share passes when simply repeated is unstable."""
LEAST_SHARE = 0.2
"""A category that explains less than this share of the sample is none: one lucky run is not evidence."""

Report = Callable[[str], None]


async def diagnose_failures(
    engine: Engine, bench: Workbench, failures: list[FailureBundle], report: Report = lambda _: None
) -> Diagnosis:
    """Find the cause of each failure of a sample, and name the one that explains most.

    Failures that nothing can be found out about are left out; the analyst model's opinion is noted beside the evidence.

    Raises:
        TriageError: nothing can be found out about any of them.
        ConfigurationError, ModelUnavailableError, BudgetError.
    """
    sample = representative_sample(failures, SAMPLE)
    opinion = ask_analyst(engine.models, bench.prompts.get(sample[0].component), sample)
    causes, view = await both(_causes(engine, bench, sample, report), opinion)
    asked = ""
    if conclude(causes) == "capability":
        causes, asked = await try_new_wording(engine, bench, failures, causes, report)
    category = conclude(causes)
    telling = [cause for cause in causes if cause.category == category]
    component = Counter(cause.component for cause in telling).most_common(1)[0][0]
    sources = Counter(cause.source for cause in telling if cause.source and category == "context")
    return Diagnosis(
        category=category,
        component=component,
        failures=[failure.id for failure in failures],
        explanation=_explain(category, causes, asked) + _advice(category, engine, bench),
        missing=next((cause.missing for cause in telling if cause.missing), ""),
        source=sources.most_common(1)[0][0] if sources else None,
        problems=sorted({problem for failure in sample for problem in failure.evaluation.problems})[:10],
        evidence=evidence(causes),
        causes={cause.failure: cause.category for cause in causes},
        opinion=view,
        agreement=None if view.category is None else view.category == category,
    )


async def _causes(engine: Engine, bench: Workbench, sample: list[FailureBundle], report: Report) -> list[FailureCause]:
    broken: dict[str, str] = {}
    problems: list[str] = []
    done = 0

    async def one(failure: FailureBundle) -> FailureCause | None:
        nonlocal done
        try:
            found = await triage_failure(engine, bench, failure, broken=broken)
        except TriageError as error:
            problems.append(str(error))
            return None
        done += 1
        report(f"failure {done} of {len(sample)}: {found.category}")
        return found

    first = representative_sample(sample, FIRST)
    rest = [failure for failure in sample if failure not in first]
    report(f"experiments on {quantity(len(first), 'failed run')}")
    causes = [cause for cause in await gather(one(failure) for failure in first) if cause]
    if rest and not _unanimous(causes, len(first)):
        report(f"experiments on {len(rest)} more")
        causes += [cause for cause in await gather(one(failure) for failure in rest) if cause]
    if not causes or (problems and conclude(causes) == "capability"):
        raise TriageError(min(problems))
    return causes


def _unanimous(causes: Sequence[FailureCause], tried: int) -> bool:
    return len(causes) == tried and {cause.category for cause in causes} in ({"prompt"}, {"context"})


def conclude(causes: Sequence[FailureCause]) -> Category:
    """The category of a group: unstable where half of the runs pass by themselves. Otherwise prompt or context,
    whichever explains more, if that is enough to be no accident. Otherwise what most of the others came to: capability,
    or an ending, which goes before it where both are as many.

    Where prompt and context explain as many the wording is preferred: it costs less in every later run than retrieval.
    """
    counts = Counter(cause.category for cause in causes)
    if counts["unstable"] >= STABLE_SHARE * len(causes):
        return "unstable"
    best: Category = "prompt" if counts["prompt"] >= counts["context"] else "context"
    if counts[best] and counts[best] >= LEAST_SHARE * len(causes):
        return best
    left = [cause.category for cause in causes if cause.category not in ("unstable", "prompt", "context")]
    return max(left, key=lambda category: (left.count(category), category != "capability"), default="capability")


def evidence(causes: Sequence[FailureCause]) -> list[Experiment]:
    """The evidence table: each treatment with the runs it was tried on, in the order of the plan."""
    rows: dict[str, Experiment] = {}
    for cause in causes:
        for result in cause.attempts:
            row = rows.setdefault(result.treatment, Experiment(treatment=result.treatment, passed=0, total=0))
            row.total += 1
            row.passed += result.passed is True
            row.outputs.append(
                {"failure": cause.failure, "output": result.output, "passed": result.passed, "error": result.error}
            )
    longest = max(causes, key=lambda cause: len(cause.attempts)).attempts
    order = {result.treatment: place for place, result in enumerate(longest)}
    return sorted(rows.values(), key=lambda row: order.get(row.treatment, len(order)))


def _explain(category: Category, causes: Sequence[FailureCause], asked: str) -> str:
    """What was found; `asked`: what came of asking for new wording, where it was asked for."""
    size = len(causes)
    counts = Counter(cause.category for cause in causes)
    if category == "unstable":
        return f"{counts['unstable']} of {size} failed runs pass when they are simply repeated"
    if category == "capability":
        return f"{asked} makes more than a stray one of {size} failed runs pass; the model seems unable to do it"
    if category != "prompt" and category != "context":
        return f"{counts[category]} of {size} failed runs gave no whole answer, whatever was tried: {ENDINGS[category]}"
    telling = [cause for cause in causes if cause.category == category]
    ways = Counter(cause.treatment for cause in telling)
    named = ", ".join(f"{count} with {name}" if len(ways) > 1 else f"with {name}" for name, count in ways.most_common())
    return f"{len(telling)} of {size} failed runs pass {named}; {counts['unstable']} when just repeated"


def _advice(category: Category, engine: Engine, bench: Workbench) -> str:
    """What a person should do about replies that were no whole answers."""
    match category:
        case "cut_off":
            return f"; raise {_limit(engine, bench)}, or ask for shorter answers"
        case "refused":
            return (
                "; look at what it says there: change the rules or the prompt that it objects to, or set another model"
            )
        case "filtered":
            return "; look at the inputs, or set a model or an endpoint without that filter"
        case "tool_call":
            return "; let an agent of your own run the tools ([agent] use), or tell the model to answer in words"
        case _:
            return ""


def _limit(engine: Engine, bench: Workbench) -> str:
    """The limit in force, by its name."""
    if engine.settings.agent_max_tokens is not None:
        return f"RATCHET_AGENT_MAX_TOKENS (now {engine.settings.agent_max_tokens})"
    now = bench.task.agent.max_tokens
    return f"max_tokens under [agent] in task.toml ({f'now {now}' if now else 'now the endpoint sets one'})"
