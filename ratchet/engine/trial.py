"""Trying prompts on cases: the one way experiments, races, the gate and `ratchet eval` run the agent."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from ratchet.concurrency import Progress, gather
from ratchet.engine.harness import Harness
from ratchet.engine.workbench import Workbench
from ratchet.errors import ModelError, ModelUnavailableError, SourceError
from ratchet.prompting import TaskPrompt, TaskPrompts
from ratchet.records import AgentRun, Evaluation, FailureBundle
from ratchet.tasks import Expected
from ratchet.text import normal_form


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


class Problem(NamedTuple):
    """Why there is no run. Whoever asked for one decides by `fault` alone."""

    fault: Literal["request", "source"]
    """``request``: the model refused it (it is too long, say), or the agent made nothing of the reply. ``source``: a
    context source did not answer."""
    message: str

    @property
    def passed(self) -> bool | None:
        """What it says about the prompt: a refused request is its failure; a source that does not answer says nothing
        about it, so that the trial is undecided."""
        return False if self.fault == "request" else None

    @property
    def evaluation(self) -> Evaluation:
        """The evaluation of a run that there is not: no criterion, and passed as `passed` says."""
        score = None if self.passed is None else 0.0
        return Evaluation(criteria=[], score=score, passed=self.passed, problems=[f"run: {self.message}"])


def as_trials(failures: list[FailureBundle]) -> list[Trial]:
    """The failed inputs, each once, to be tried again."""
    return list({normal_form(failure.input): Trial(failure.input, failure.expected) for failure in failures}.values())


def with_prompt(prompts: TaskPrompts, component: str, prompt: TaskPrompt) -> TaskPrompts:
    """`prompts` with one component's prompt replaced."""
    return {**prompts, component: prompt}


async def try_prompt(
    harness: Harness, bench: Workbench, prompts: TaskPrompts, text: str, repeat: int | None = 0
) -> AgentRun | Problem:
    """Run the agent on one input: to serve it, or for an experiment, a race, the gate or a measurement.

    `repeat` as in `Models.reply`.

    What is no run is a `Problem` of this input only. A source that does not answer is undecided everywhere, never a
    failure of the prompt that asks it; only the gate counts a missing result against a change, see `Pair.rates`. An
    endpoint that does not answer at all is raised, as it says nothing about any input.

    Raises:
        ConfigurationError, ModelUnavailableError, BudgetError.
    """
    try:
        return await harness.run(bench, text, prompts=prompts, repeat=repeat)
    except ModelUnavailableError:
        raise
    except ModelError as error:
        return Problem("request", str(error))
    except SourceError as error:
        return Problem("source", str(error))


async def score_one(harness: Harness, bench: Workbench, prompts: TaskPrompts, trial: Trial, repeat: int = 0) -> Scored:
    """Run and score one input. Where there is no run it has no criteria, and passed as `Problem.passed` says.

    Raises:
        ConfigurationError, ModelUnavailableError, BudgetError.
    """
    run = await try_prompt(harness, bench, prompts, trial.input, repeat)
    if isinstance(run, Problem):
        return Scored("", run.evaluation, 0, None)
    evaluation = await harness.evaluate(bench, trial.input, run.output, trial.expected, run.trace)
    return Scored(run.output, evaluation, run.tokens, run.step_seconds)


async def score_all(
    harness: Harness,
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
        scored = await score_one(harness, bench, prompts, trial, repeat)
        done += 1
        if progress:
            progress(done, len(trials))
        return scored

    return await gather(one(trial) for trial in trials)
