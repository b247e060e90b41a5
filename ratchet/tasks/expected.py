"""What is expected of a run: a JSON value, or a list of which any is right."""

import json
from typing import Any

from ratchet.text import fold

Expected = str | int | float | bool | dict[str, Any] | list[Any] | None
"""None: nothing is known."""


def as_answers(expected: Expected) -> list[Any]:
    """The values any of which is right."""
    return expected if isinstance(expected, list) else [expected]


def problem_of_expected(expected: Expected) -> str | None:
    """Why nothing can be compared with `expected`, as a sentence; None where it can, or where nothing is known.

    An empty text, or one of characters that are not seen, is part of every output, so that everything would pass.
    """
    if expected is None:
        return None
    choices = as_answers(expected)
    if not choices or any(_is_empty(choice) for choice in choices):
        return f"the expected output {expected!r:.60} is empty; leave it out where nothing is known"
    try:
        json.dumps(expected, allow_nan=False, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return f"the expected output {expected!a:.60} holds half of a surrogate pair, which no file can"
    except (TypeError, ValueError, RecursionError):
        return f"the expected output {_shown(expected):.60} is no JSON"
    return None


def _shown(expected: Expected) -> str:
    try:
        return repr(expected)
    except ValueError:  # a number with more digits than Python writes
        return "with a number of so many digits"


def _is_empty(choice: Any) -> bool:
    return choice in ({}, [], None) or (isinstance(choice, str) and not fold(choice))
