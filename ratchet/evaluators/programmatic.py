"""Criteria that code decides. Each checker returns ``(passed, comment)``."""

import json
import re
import unicodedata
from typing import Any

import regex

from ratchet.config.patterns import is_found
from ratchet.config.schemas import schema_problem
from ratchet.errors import EvaluationError, PatternError
from ratchet.evaluators.numbers import last_number, values_of
from ratchet.tasks import Expected
from ratchet.tasks.criteria import Contains, Exact, JsonEqual, JsonSchema, MaxWords, Numeric, Regex
from ratchet.text import fold

_FENCE = re.compile(r"\A\s*```\w*\s*\n(.*?)\n?```\s*\Z", re.DOTALL)
_TURKISH = str.maketrans({"İ": "I", "ı": "i"})  # noqa: RUF001
_HAN = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}]")
_THAI = regex.compile(r"[\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}]\p{M}*")
Check = tuple[bool, str]


def options(expected: Expected) -> list[str]:
    """The expected strings, any of which is right."""
    values = expected if isinstance(expected, list) else [expected]
    return [value if isinstance(value, str) else json.dumps(value, ensure_ascii=False) for value in values]


def _fold(text: str, ignore_case: bool) -> str:
    """The form that is compared: one letter is one letter, however its accents are coded. In Turkish the small letter
    of I has no dot and the capital of i has one; without the case neither counts."""
    return fold(text.translate(_TURKISH)) if ignore_case else _compose(text)


def _compose(value: Any) -> Any:
    """A text, or all texts of a JSON value, in the form NFC."""
    if isinstance(value, dict):
        return {_compose(key): _compose(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_compose(item) for item in value]
    return unicodedata.normalize("NFC", value) if isinstance(value, str) else value


def check_exact(criterion: Exact, output: str, expected: Expected) -> Check:
    """Equal to an expected string; what `ratchet.text.fold` levels does not count unless told otherwise."""
    wanted = options(expected)
    passed = _fold(output, criterion.ignore_case) in {_fold(value, criterion.ignore_case) for value in wanted}
    return passed, "" if passed else f"is not {_quote(wanted)}"


def check_contains(criterion: Contains, output: str, expected: Expected) -> Check:
    """Contains an expected string (or one of the criterion's own values)."""
    wanted = criterion.values if criterion.values is not None else options(expected)
    text = _fold(output, criterion.ignore_case)
    sought = [_fold(value, criterion.ignore_case) for value in wanted]
    passed = any(value in text for value in sought if value)  # nothing is in every text
    return passed, "" if passed else f"does not contain {_quote(wanted)}"


async def check_regex(criterion: Regex, output: str) -> Check:
    """Has a match of the pattern (or none), searched for with a time limit.

    Raises:
        EvaluationError: the search took too long.
    """
    try:
        found = await is_found(criterion.pattern, _compose(output))
    except PatternError as error:
        raise EvaluationError(str(error)) from error
    wish = "must not match" if criterion.negate else "must match"
    return found != criterion.negate, "" if found != criterion.negate else f"{wish} {criterion.pattern!r}"


def check_numeric(criterion: Numeric, output: str, expected: Expected) -> Check:
    """The last number of the output equals an expected one within the tolerance.

    Raises:
        EvaluationError: the expected output is no number.
    """
    readings = [values_of(value) for value in options(expected)]
    if not all(readings):
        raise EvaluationError(f"the expected output {expected!r:.80} is no number")
    found = last_number(output)
    if not found:
        return False, "holds no number"
    passed = any(
        abs(number - value) <= criterion.tolerance for number in found for values in readings for value in values
    )
    shown = " or ".join(f"{number:g}" for number in sorted(found))
    return passed, "" if passed else f"the last number is {shown}, expected {_quote(options(expected))}"


async def check_json_schema(criterion: JsonSchema, output: str) -> Check:
    """Is JSON that fits the schema.

    Raises:
        EvaluationError: the schema refers to something that is not there, or one of its patterns took too long.
    """
    try:
        problem = await schema_problem(criterion.definition, _json(output, criterion.fence))
    except (ValueError, RecursionError):
        return False, "is not JSON"
    return problem is None, "" if problem is None else f"does not fit the schema: {problem[:120]}"


def check_json_equal(criterion: JsonEqual, output: str, expected: Expected) -> Check:
    """Is JSON equal to the expected object, or equal in the criterion's keys.

    Raises:
        EvaluationError: no expected object has any of the keys, so that everything would be equal.
    """
    choices = [_parse(choice) for choice in (expected if isinstance(expected, list) else [expected])]
    if criterion.keys is not None and not any(_has_any(choice, criterion.keys) for choice in choices):
        raise EvaluationError(f"the expected output has none of the keys {', '.join(criterion.keys)}")
    try:
        value = _json(output, criterion.fence)
    except (ValueError, RecursionError):
        return False, "is not JSON"
    value, choices = _compose(value), _compose(choices)
    passed = any(_same(_part(value, criterion.keys), _part(choice, criterion.keys)) for choice in choices)
    return passed, "" if passed else f"is not equal to {json.dumps(expected, ensure_ascii=False)[:120]}"


def _json(output: str, fence: bool) -> Any:
    """`output` as JSON (RFC 8259: NaN and Infinity are none); with `fence`, also what stands in a code fence."""
    fenced = _FENCE.match(output) if fence else None
    return json.loads(fenced[1] if fenced else output, parse_constant=_refuse_constant)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _has_any(choice: Any, keys: list[str]) -> bool:
    return not isinstance(choice, dict) or any(key in choice for key in keys)


def _parse(choice: Any) -> Any:
    if isinstance(choice, str):
        try:
            return json.loads(choice)
        except ValueError:
            return choice
    return choice


def _same(one: Any, other: Any) -> bool:
    """Equality of JSON values, in which true is not 1 and false is not 0, as they are in Python."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _part(value: Any, keys: list[str] | None) -> Any:
    if keys is None or not isinstance(value, dict):
        return value
    return {key: value[key] for key in keys if key in value}


def check_max_words(criterion: MaxWords, output: str) -> Check:
    """Has at most that many words, see `count_words`."""
    words = count_words(output)
    return words <= criterion.limit, "" if words <= criterion.limit else f"{words} words, at most {criterion.limit}"


def count_words(text: str) -> int:
    """Words between blanks. Of scripts that are written without blanks: of Chinese and Japanese each character is one,
    of Thai, Lao, Khmer and Burmese every fourth letter begins one."""
    letters = len(_THAI.findall(text))
    rest = _THAI.sub(" ", _HAN.sub(" ", text))
    return len(rest.split()) + len(_HAN.findall(text)) + -(-letters // 4)


def _quote(values: list[str]) -> str:
    shown = " or ".join(repr(value) for value in values[:3])
    return shown + (" or ..." if len(values) > 3 else "")
