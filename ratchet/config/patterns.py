"""Regular expressions that people write in their files: checked when loaded, searched for with a time limit."""

import regex

from ratchet.errors import PatternError

SECONDS = 0.25
"""A search that takes longer is cut off, so that no pattern can hold up the event loop's threads. `regex` measures it
as processor time of the whole process: on a machine that is busy with others more time passes meanwhile."""


def compiles(pattern: str) -> str:
    """`pattern`, if it is one.

    Raises:
        ValueError: with the parser's words on what is wrong.
    """
    try:
        regex.compile(pattern)
    except regex.error as error:
        raise ValueError(f"not a regular expression: {error}") from error
    return pattern


def is_found(pattern: str, text: str) -> bool:
    """Whether `text` has a match of `pattern`.

    Raises:
        PatternError: the search took longer than `SECONDS`, or the pattern is refused.
    """
    try:
        return regex.search(pattern, text, timeout=SECONDS, concurrent=True) is not None
    except TimeoutError as error:
        raise PatternError(f"the pattern took longer than {SECONDS} s") from error
    except regex.error as error:
        raise PatternError(f"the pattern is refused: {error}") from error
