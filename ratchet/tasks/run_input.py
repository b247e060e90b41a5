"""What a run is asked: looked at before anything is stored or paid for."""

from typing import Annotated, Any

from pydantic import Field, StrictStr, ValidationError

from ratchet.config.files import StrictModel, first_problem
from ratchet.errors import InputError
from ratchet.tasks.expected import Expected, problem_of_expected
from ratchet.text import whole_text

MOST_CHARACTERS = 200_000
"""Of an input or an expected output."""
Text = Annotated[StrictStr, Field(min_length=1, max_length=MOST_CHARACTERS)]


class RunInput(StrictModel):
    """The input of a run, with what is expected of it and who it came from, if that is known."""

    task: Annotated[StrictStr, Field(min_length=1, max_length=200)]
    input: Text
    expected: Expected = None
    source: Annotated[StrictStr, Field(min_length=1, max_length=200)] | None = None


def run_input(task: Any, text: Any, expected: Any, source: Any) -> RunInput:
    """A run's input as a caller gave it; lone surrogates in its text are replaced.

    Raises:
        InputError: something has another type or size, or is empty; nothing was stored or paid for.
    """
    given = {"task": task, "input": text, "expected": expected, "source": source}
    try:
        asked = RunInput.model_validate({name: _whole(value) for name, value in given.items()})
    except ValidationError as error:
        raise InputError(f"the run cannot be served: {first_problem(error)}") from error
    problem = problem_of_expected(asked.expected)
    if not problem and len(repr(asked.expected)) > MOST_CHARACTERS:
        problem = f"the expected output is longer than {MOST_CHARACTERS:,} characters"
    if not problem and not asked.input.strip():
        problem = "the input is empty"
    if problem:
        raise InputError(f"the run cannot be served: {problem}")
    return asked


def _whole(value: Any) -> Any:
    if isinstance(value, str):
        return whole_text(value)
    if isinstance(value, list):
        return [_whole(item) for item in value]
    return {_whole(key): _whole(item) for key, item in value.items()} if isinstance(value, dict) else value
