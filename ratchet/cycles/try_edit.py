"""A person's own edit of the prompts, put to the gate before anybody makes it live: for reviews of code.

It has a count of tests of its own beside that of the task's cycles, under the same error control. So trying spends
nothing of what cycles prove their changes with, and many tries of one thing still do not prove it by chance.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Literal, NamedTuple

from ratchet.engine import Engine, Workbench, shown_cases
from ratchet.errors import ConfigurationError
from ratchet.gate import error_level, no_proof
from ratchet.gate.holdout import settled_cases
from ratchet.gate.prove import compare
from ratchet.gate.vetoes import vetoes_of
from ratchet.llm import Meter, metered, own_replies
from ratchet.prompting import TaskPrompts, content_hash
from ratchet.proposers import edit_refusal
from ratchet.records import Repeats, Validation
from ratchet.tasks import Task

TryStatus = Literal["proven", "not_proven", "worse", "vetoed", "unchanged"]
_COUNT = "try:"
"""What the task of a try begins with in the table of tests."""


class Tried(NamedTuple):
    """What came of trying an edit; nothing of it is applied."""

    status: TryStatus
    before: TaskPrompts
    """The components that differ, as they were and as they are in the edit."""
    after: TaskPrompts
    validation: Validation
    test_id: str = ""
    level: float | None = None
    """The error level of this try; None where the held-out cases were not looked at."""


async def try_edit(
    engine: Engine,
    bench: Workbench,
    edited: TaskPrompts,
    by: str,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Tried:
    """Compare the prompts of `edited` with those of `bench` on the held-out cases, by the same test and vetoes as a
    proposal of a cycle. The same edit tried again over the same cases is the same test.

    Raises:
        ConfigurationError, ModelUnavailableError, BudgetError.
    """
    names = [name for name in bench.task.components if edited[name] != bench.prompts[name]]
    before, after = {name: bench.prompts[name] for name in names}, {name: edited[name] for name in names}
    if not names:
        return Tried("unchanged", before, after, no_proof("the file says what is in force", triggering=0))
    for name in names:
        refusal = edit_refusal(bench.task, bench.rules, before[name], after[name])
        if refusal:
            return Tried("vetoed", before, after, no_proof(f"{name} {refusal}", triggering=0))
    shown = set(shown_cases(after.values(), bench.holdout)) - set(shown_cases(before.values(), bench.holdout))
    if shown:
        reason = f"the change shows what is held out as examples: {', '.join(sorted(shown))}"
        return Tried("vetoed", before, after, no_proof(reason, triggering=0))
    if not bench.holdout:
        return Tried("not_proven", before, after, no_proof("there are no held-out cases", triggering=0))
    test_id = _test_id(bench, before, after)
    level = await engine.store.gate_tests.level(f"{_COUNT}{bench.task.name}", test_id, error_level)
    validation = await _validate(engine, bench, bench.prompts | after, test_id, level, progress)
    tried = Tried(_status(validation), before, after, validation, test_id, level)
    said = {"reason": validation.reason, "verdict": validation.gate_verdict, "level": level}
    await engine.audit.note(by, "try", bench.task.name, test_id, said)
    return tried


def prompts_of_task(prompts: TaskPrompts, task: Task, file: object) -> TaskPrompts:
    """Those of the task's components.

    Raises:
        ConfigurationError: the file lacks one.
    """
    for name in task.components:
        if name not in prompts:
            raise ConfigurationError(f"{file}: no prompt for {name!r}, a component of task {task.name}")
    return {name: prompts[name] for name in task.components}


def _test_id(bench: Workbench, before: TaskPrompts, after: TaskPrompts) -> str:
    changed = [{name: prompt.as_json() for name, prompt in side.items()} for side in (before, after)]
    cases = [case.model_dump(mode="json") for case in bench.holdout]
    return "T-" + content_hash([bench.task.name, *changed, cases])[:10]


async def _validate(
    engine: Engine,
    bench: Workbench,
    prompts: TaskPrompts,
    test_id: str,
    level: float,
    progress: Callable[[int, int], None],
) -> Validation:
    """As `ratchet.cycles.validation` does it for a proposal, without failures that it would have to fix."""
    settled = await settled_cases(engine, bench, test_id, salt=test_id, worked_on=set())
    bench = replace(bench, cases=[*bench.train, *settled.cases])
    repeats = bench.task.gate.repeats
    count = 1 if repeats == "auto" else repeats
    with metered(Meter(limit=engine.settings.max_calls)), own_replies(test_id):
        comparison = await compare(engine, bench, prompts, bench.holdout, level=level, repeats=count, progress=progress)
        against = await vetoes_of(engine, bench, prompts, comparison)
    seen = {pair.case.id for pair in comparison.pairs}
    finding = comparison.result(fixed=0, triggering=0, vetoes=against.lines)
    why = "as gate.repeats in task.toml says" if count > 1 else ""
    more = {"repeats": Repeats(count=count, why=why), "production": len(seen & settled.production)}
    validation = against.on(finding.model_copy(update=more))
    await engine.store.gate_cases.note_seen(test_id, seen)
    await engine.store.gate_tests.finish(test_id, validation.gate_verdict)
    return validation


def _status(validation: Validation) -> TryStatus:
    if validation.proven:
        return "proven"
    verdict = validation.gate_verdict
    return "not_proven" if verdict == "inconclusive" else verdict if verdict == "worse" else "vetoed"
