"""The canary: a known bad output that the evaluator has to fail."""

from ratchet.engine import Engine, Workbench
from ratchet.records import Evaluation


async def score_canary(engine: Engine, bench: Workbench) -> Evaluation | None:
    """The canary's evaluation, None where the task has no canary. Judge replies are reused: it is paid for once for
    each judge model and wording.

    Raises:
        ConfigurationError, BudgetError: from the judge's model.
    """
    canary = bench.task.canary
    if canary is None:
        return None
    return await engine.evaluate(bench, canary.input, canary.output, canary.expected)


def problem_of(evaluation: Evaluation) -> str | None:
    """Why a canary that was scored like this did not fail, as one line; None where it failed, as it has to."""
    if evaluation.passed is False:
        return None
    if evaluation.passed:
        names = ", ".join(result.name for result in evaluation.criteria if result.passed)
        return (
            f"the canary, a known bad output, passes ({names}): the evaluator cannot be trusted; mend the criteria or "
            "set RATCHET_JUDGE_MODEL to another model, and see `ratchet calibrate`"
        )
    reasons = evaluation.problems or [f"{result.name}: {result.comment}" for result in evaluation.criteria]
    return f"the canary, a known bad output, could not be scored ({'; '.join(reasons)})"


async def canary_problem(engine: Engine, bench: Workbench) -> str | None:
    """Why the evaluator must not be trusted with this task's runs: its canary did not fail. None where it did, or where
    the task has no canary.

    Raises:
        ConfigurationError, BudgetError: from the judge's model.
    """
    evaluation = await score_canary(engine, bench)
    return None if evaluation is None else problem_of(evaluation)
