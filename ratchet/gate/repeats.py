"""How often each held-out case is run.

Decided once in a cycle, before its first held-out result and from other evidence only, so that what the gate promises
holds whatever is decided.
"""

from collections.abc import Sequence

from ratchet.engine import Engine, Workbench
from ratchet.gate.calls import gate_calls
from ratchet.llm import active_meter
from ratchet.records import REPEAT, Diagnosis, FailureBundle, Repeats

NOISY_SHARE = 0.1
"""Share of the repeated failures that pass, from which on an agent counts as noisy."""
NOISY_REPEATS = 3
"""Runs of each case where it does: two thirds of the variance of single runs are gone."""


async def planned_repeats(engine: Engine, bench: Workbench, cycle_id: str, diagnosis: Diagnosis, cases: int) -> Repeats:
    """The number for up to `cases` held-out cases: what the cycle's document says, or what is now decided and noted.

    Raises:
        ConfigurationError: the agent's model setting is wrong.
    """
    row = await engine.store.cycles.get(cycle_id)
    kept = row and row["document"].get("repeats")
    if kept:
        return Repeats.model_validate(kept)
    repeats = await _decision(engine, bench, diagnosis, cases)
    await engine.store.cycles.record(cycle_id, {"repeats": repeats.model_dump(mode="json")})
    return repeats


async def _decision(engine: Engine, bench: Workbench, diagnosis: Diagnosis, cases: int) -> Repeats:
    """The task's own number; with ``auto`` several where simply repeating the failed runs made enough of them pass.
    Where the budget would not last, once: fresh cases tell more than repeats of the first ones."""
    if bench.task.gate.repeats != "auto":
        count = bench.task.gate.repeats
        return Repeats(count=count, why="as gate.repeats in task.toml says" if count > 1 else "")
    failures = await engine.store.failures.bundles(diagnosis.failures)
    model = str(engine.models.spec("agent"))
    results = _repeat_results(diagnosis, [failure for failure in failures if _as_now(failure, bench, model)])
    if sum(results) < NOISY_SHARE * len(results) or not any(results):
        return Repeats()
    needed, left = gate_calls(bench, failures, cases, NOISY_REPEATS), _calls_left()
    if left is not None and left < needed:
        return Repeats(why=f"as {NOISY_REPEATS} runs would need {needed} model calls and the budget has {left} left")
    return Repeats(count=NOISY_REPEATS, why=f"as {sum(results)} of {len(results)} failures passed when repeated")


def _as_now(failure: FailureBundle, bench: Workbench, model: str) -> bool:
    """Whether the failed run was made by what is in force now: only then a repeat that passes shows noise."""
    prompts = {name: bench.prompts.get(name) for name in failure.prompts}
    return failure.prompts == prompts and failure.rules_hash == bench.rules.hash and failure.model == model


def _repeat_results(diagnosis: Diagnosis, failures: Sequence[FailureBundle]) -> list[bool]:
    """For each of the failures that was simply repeated, whether it passed then."""
    ids = {failure.id for failure in failures}
    rows = [row for experiment in diagnosis.evidence if experiment.treatment == REPEAT for row in experiment.outputs]
    return [row["passed"] is True for row in rows if row["failure"] in ids]


def _calls_left() -> int | None:
    meter = active_meter()
    return None if meter.limit is None else max(0, meter.limit - meter.calls)
