"""Evaluator functions of the user's, in the convention of openevals and LangSmith."""

import inspect
import math
from typing import Any, NamedTuple

from ratchet.concurrency import is_our_own, to_daemon_thread, user_calls
from ratchet.config.objects import load_object
from ratchet.errors import ConfigurationError, EvaluationError, one_line
from ratchet.evaluators.programmatic import Check
from ratchet.tasks import Expected
from ratchet.tasks.criteria import Python

SECONDS = 60.0


class Grade(NamedTuple):
    """What a function says of an output; the score is 0 or 1 where the criterion is not graded."""

    passed: bool
    comment: str
    score: float


async def check_python(criterion: Python, text: str, output: str, expected: Expected) -> Check:
    """Whether the output passes, see `grade_python`."""
    passed, comment, _ = await grade_python(criterion, text, output, expected)
    return passed, comment


async def grade_python(criterion: Python, text: str, output: str, expected: Expected) -> Grade:
    """Call the function; a boolean score passes as it is, a number from `pass_score` on. A graded one is kept.

    Raises:
        EvaluationError: the function is missing, raises, hangs or returns something else, or a graded score is not
            between 0 and 1.
    """
    try:
        function = await load_function(criterion)
        async with user_calls.within(SECONDS):
            result = await _call(criterion.use, function, inputs=text, outputs=output, reference_outputs=expected)
    except ConfigurationError as error:
        raise EvaluationError(str(error)) from error
    except TimeoutError as error:
        raise EvaluationError(f"{criterion.use} took longer than {SECONDS:g} s") from error
    score = _plain(result.get("score") if isinstance(result, dict) else result)
    comment = str(result.get("comment") or "") if isinstance(result, dict) else ""
    if isinstance(score, bool):
        return Grade(score, comment, float(score))
    if isinstance(score, int | float) and math.isfinite(score):
        passed = score >= criterion.pass_score
        if criterion.graded and not 0 <= score <= 1:
            raise EvaluationError(f"{criterion.use} returned the score {score:g}, a graded one has to be from 0 to 1")
        return Grade(passed, comment, float(score) if criterion.graded else float(passed))
    raise EvaluationError(f"{criterion.use} returned {result!r:.80}, expected a mapping with 'score'")


def _plain(score: Any) -> Any:
    """A number or truth value of numpy's, or of a tensor of one, as Python's own."""
    if isinstance(score, bool | int | float) or not callable(getattr(score, "item", None)):
        return score
    try:
        return score.item()
    except (TypeError, ValueError, RuntimeError):  # it has several
        return score


async def _call(use: str, function: Any, **arguments: Any) -> Any:
    try:
        result = await to_daemon_thread(function, **arguments)
        return await result if inspect.isawaitable(result) else result
    except BaseException as error:  # the user's code: whatever it raises is an evaluation error
        if is_our_own(error):
            raise
        raise EvaluationError(f"{use} raised {one_line(error)}") from error


async def load_function(criterion: Python) -> Any:
    """The function that the criterion names.

    Raises:
        ConfigurationError: it cannot be imported, or is no function.
    """
    where = f"criterion {criterion.name}"
    function = await load_object(criterion.use, where)
    if not callable(function):
        raise ConfigurationError(f"{where}: {criterion.use!r} is no function")
    return function
