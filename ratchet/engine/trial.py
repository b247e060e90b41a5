"""Trying prompts on cases: the one way experiments, races, the gate and `ratchet eval` run the agent."""

from collections.abc import Sequence
from typing import NamedTuple

from ratchet.concurrency import Progress, gather
from ratchet.engine.engine import Engine
from ratchet.engine.workbench import Workbench
from ratchet.errors import ModelError, ModelUnavailableError, SourceError
from ratchet.prompting import TaskPrompt, TaskPrompts
from ratchet.records import Evaluation, FailureBundle
from ratchet.tasks import Expected


class Scored(NamedTuple):
    """An output with its evaluation."""

    output: str
    evaluation: Evaluation
    tokens: int
    seconds: float | None
    """None where they were not measured now."""


class Trial(NamedTuple):
    """An input to try, with what is expected."""

    input: str
    expected: Expected


def as_trials(failures: list[FailureBundle]) -> list[Trial]:
    """The failed inputs, each once, to be tried again."""
    return list({failure.input: Trial(failure.input, failure.expected) for failure in failures}.values())


def with_prompt(prompts: TaskPrompts, component: str, prompt: TaskPrompt) -> TaskPrompts:
    """`prompts` with one component's prompt replaced."""
    return {**prompts, component: prompt}


async def score_one(engine: Engine, bench: Workbench, prompts: TaskPrompts, trial: Trial, repeat: int = 0) -> Scored:
    """Run and score one input.

    A request the model refuses (too long, say) or a source that fails is this trial's failure; an endpoint that does
    not answer at all is raised, as it says nothing about the prompts.

    Raises:
        ConfigurationError, ModelUnavailableError, BudgetError.
    """
    try:
        run = await engine.run(bench, trial.input, prompts=prompts, repeat=repeat)
    except ModelUnavailableError:
        raise
    except (ModelError, SourceError) as error:
        problem = Evaluation(criteria=[], score=0.0, passed=False, problems=[f"run: {error}"])
        return Scored("", problem, 0, None)
    evaluation = await engine.evaluate(bench, trial.input, run.output, trial.expected)
    return Scored(run.output, evaluation, run.tokens, run.step_seconds)


async def score_all(
    engine: Engine,
    bench: Workbench,
    prompts: TaskPrompts,
    trials: Sequence[Trial],
    *,
    repeat: int = 0,
    progress: Progress | None = None,
) -> list[Scored]:
    """Score many inputs at once, in their order; the first error ends the others."""
    done = 0

    async def one(trial: Trial) -> Scored:
        nonlocal done
        scored = await score_one(engine, bench, prompts, trial, repeat)
        done += 1
        if progress:
            progress(done, len(trials))
        return scored

    return await gather(one(trial) for trial in trials)
