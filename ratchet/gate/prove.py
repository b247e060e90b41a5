"""Old against new on held-out cases, in blocks, until the answer is clear."""

from collections.abc import Callable, Sequence
from itertools import pairwise

from ratchet.concurrency import gather
from ratchet.engine import Engine, Trial, Workbench, score_all, with_prompt
from ratchet.gate import LEAST_CASES, Comparison, Pair
from ratchet.prompting import TaskPrompt, TaskPrompts
from ratchet.tasks import Case

BLOCK = 8
"""Cases between two looks at the test; before the first one there are as many as the gate wants to see anyway."""


async def prove(
    engine: Engine,
    bench: Workbench,
    component: str,
    prompt: TaskPrompt,
    cases: Sequence[Case],
    *,
    level: float,
    planned: int | None = None,
    repeats: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Comparison:
    """Compare `prompt` with the one in force on `cases`, each run `repeats` times under either, in their order: it has
    to be settled before, see `ratchet.gate.holdout`. So has the number of cases `planned`, where some were left out
    since.

    Raises:
        ConfigurationError, ModelUnavailableError, BudgetError.
    """
    new_prompts = with_prompt(bench.prompts, component, prompt)
    return await compare(
        engine, bench, new_prompts, cases, level=level, planned=planned, repeats=repeats, progress=progress
    )


async def compare(
    engine: Engine,
    bench: Workbench,
    new_prompts: TaskPrompts,
    cases: Sequence[Case],
    *,
    level: float,
    planned: int | None = None,
    repeats: int = 1,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Comparison:
    """As `prove`, where more than one component may differ.

    Raises:
        ConfigurationError, ModelUnavailableError, BudgetError.
    """
    comparison = Comparison(level, planned or len(cases))
    for start, end in pairwise([0, *looks(len(cases))]):
        block = cases[start:end]
        trials = [Trial(case.input, case.expected) for case in block]
        runs = await gather(
            score_all(engine, bench, prompts, trials, repeat=repeat)
            for prompts in (bench.prompts, new_prompts)
            for repeat in range(repeats)
        )
        old, new = zip(*runs[:repeats], strict=True), zip(*runs[repeats:], strict=True)
        comparison.add([Pair(*pair) for pair in zip(block, old, new, strict=True)])
        progress(end, len(cases))
        if comparison.is_settled(len(cases) - end):
            break
    return comparison


def looks(cases: int) -> list[int]:
    """After how many of so many cases the test is looked at."""
    return [*range(LEAST_CASES, cases, BLOCK), cases] if cases else []
