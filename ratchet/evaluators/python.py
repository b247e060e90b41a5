"""Evaluator functions of the user's, in the convention of openevals and LangSmith."""

import inspect
from typing import Any

from ratchet.concurrency import is_our_own, to_daemon_thread, user_calls
from ratchet.config.objects import load_object
from ratchet.errors import ConfigurationError, EvaluationError, one_line
from ratchet.evaluators.programmatic import Check
from ratchet.tasks import Expected
from ratchet.tasks.criteria import Python

SECONDS = 60.0


async def check_python(criterion: Python, text: str, output: str, expected: Expected) -> Check:
    """Call the function; a boolean score passes as it is, a number from `pass_score` on.

    Raises:
        EvaluationError: the function is missing, raises, hangs or returns something else.
    """
    try:
        function = await load_function(criterion)
        async with user_calls.within(SECONDS):
            result = await _call(criterion.use, function, inputs=text, outputs=output, reference_outputs=expected)
    except ConfigurationError as error:
        raise EvaluationError(str(error)) from error
    except TimeoutError as error:
        raise EvaluationError(f"{criterion.use} took longer than {SECONDS:g} s") from error
    score = result.get("score") if isinstance(result, dict) else result
    comment = str(result.get("comment") or "") if isinstance(result, dict) else ""
    if isinstance(score, bool):
        return score, comment
    if isinstance(score, int | float):
        return score >= criterion.pass_score, comment
    raise EvaluationError(f"{criterion.use} returned {result!r:.80}, expected a mapping with 'score'")


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
