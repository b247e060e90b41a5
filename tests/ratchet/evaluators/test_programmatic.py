import inspect
import json
import unicodedata
from typing import Any

import pytest
from pydantic import TypeAdapter

from ratchet.concurrency import run_main
from ratchet.config import patterns
from ratchet.errors import EvaluationError
from ratchet.evaluators import programmatic as check
from ratchet.tasks import Criterion
from ratchet.tasks.criteria import Regex

ADAPTER: TypeAdapter[Any] = TypeAdapter(Criterion)
CHECKERS: dict[str, Any] = {
    "exact": check.check_exact,
    "contains": check.check_contains,
    "numeric": check.check_numeric,
    "json_schema": lambda criterion, output, _: check.check_json_schema(criterion, output),
    "json_equal": check.check_json_equal,
    "max_words": lambda criterion, output, _: check.check_max_words(criterion, output),
}


def regex(**options: Any) -> Regex:
    return Regex(name="c", kind="regex", **options)


def checked(kind: str, options: dict[str, Any], output: str, expected: Any) -> bool:
    check_of_kind = CHECKERS[kind](ADAPTER.validate_python({"name": "c", "kind": kind, **options}), output, expected)
    passed, comment = run_main(check_of_kind) if inspect.iscoroutine(check_of_kind) else check_of_kind
    assert bool(comment) is not passed
    return passed


@pytest.mark.parametrize(
    ("options", "output", "expected", "passed"),
    [
        ({}, " Yes \n", "yes", True),
        ({}, "yes.", "yes", False),
        ({"ignore_case": False}, "Yes", "yes", False),
        ({"ignore_case": False}, "yes ", "yes", False),
        ({"ignore_case": False}, "yes", "yes", True),
        ({}, "b", ["a", "B"], True),
        ({}, "c", ["a", "b"], False),
        ({}, "x", [], False),
        ({}, "STRASSE", "straße", True),
    ],
)
def test_exact(options: dict[str, Any], output: str, expected: Any, passed: bool) -> None:
    assert checked("exact", options, output, expected) is passed


@pytest.mark.parametrize(
    ("options", "output", "expected", "passed"),
    [
        ({}, "We open at NINE.", "nine", True),
        ({"ignore_case": False}, "We open at NINE.", "nine", False),
        ({}, "We open at ten.", ["nine", "TEN "], True),
        ({}, "We open.", ["nine", "ten"], False),
        ({"values": ["thanks", "thank you"]}, "Thank you!", "nine", True),
        ({"values": ["thanks"]}, "It is nine", "nine", False),
        ({}, '{"a": 1}', {"a": 1}, True),
        ({}, "", "nine", False),
    ],
)
def test_contains(options: dict[str, Any], output: str, expected: Any, passed: bool) -> None:
    assert checked("contains", options, output, expected) is passed


@pytest.mark.parametrize(
    ("options", "output", "passed"),
    [
        ({"pattern": r"^\d+$"}, "42", True),
        ({"pattern": r"^\d+$"}, "42 apples", False),
        ({"pattern": "sorry", "negate": True}, "Of course", True),
        ({"pattern": "sorry", "negate": True}, "so sorry", False),
        ({"pattern": "(?i)SORRY"}, "sorry", True),
    ],
)
@pytest.mark.anyio
async def test_regex(options: dict[str, Any], output: str, passed: bool) -> None:
    found, comment = await check.check_regex(regex(**options), output)
    assert (found, bool(comment)) == (passed, not passed)


@pytest.mark.parametrize("negate", [False, True])
@pytest.mark.anyio
async def test_regex_that_takes_too_long_is_an_error(negate: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patterns, "SECONDS", 0.05)
    with pytest.raises(EvaluationError, match=r"the pattern took longer than 0\.05 s"):
        await check.check_regex(regex(pattern="(a|aa)+$", negate=negate), "a" * 40 + "!")


@pytest.mark.parametrize(
    ("options", "output", "expected", "passed"),
    [
        ({}, "3 + 4 = 7", "7", True),
        ({}, "7 is 3 + 4", "7", False),
        ({}, "The total is 1,234.50.", "1234.5", True),
        ({}, "-3", "-3", True),
        ({}, "3", "-3", False),
        ({"tolerance": 0.1}, "3.05", "3", True),
        ({"tolerance": 0.1}, "3.2", "3", False),
        ({"tolerance": 0}, "3.0", "3", True),
        ({}, "about 2e3", "2000", True),
        ({}, "no number here", "7", False),
        ({}, "8", ["7", "8"], True),
        ({}, "8", [7, 8], True),
        ({}, "9" * 500, "7", False),
    ],
)
def test_numeric(options: dict[str, Any], output: str, expected: Any, passed: bool) -> None:
    assert checked("numeric", options, output, expected) is passed


def test_numeric_with_an_expected_text_is_an_error() -> None:
    with pytest.raises(EvaluationError, match="the expected output 'seven' is no number"):
        checked("numeric", {}, "7", "seven")


SCHEMA = {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}}


@pytest.mark.parametrize(
    ("output", "passed"),
    [('{"a": 1}', True), ('{"a": "1"}', False), ("{}", False), ("a: 1", False), ("", False), ('[{"a": 1}]', False)],
)
def test_json_schema(output: str, passed: bool) -> None:
    assert checked("json_schema", {"schema": SCHEMA}, output, None) is passed


def test_json_schema_with_a_reference_to_nothing_is_an_error() -> None:
    with pytest.raises(EvaluationError):
        checked("json_schema", {"schema": {"properties": {"a": {"$ref": "#/$defs/gone"}}}}, '{"a": 1}', None)


@pytest.mark.parametrize(
    ("options", "output", "expected", "passed"),
    [
        ({}, '{"b": 2, "a": 1}', {"a": 1, "b": 2}, True),
        ({}, '{"a": 1}', '{"a": 1.0}', True),
        ({}, '{"a": 1}', {"a": 2}, False),
        ({}, '{"a": 1, "b": 2}', {"a": 1}, False),
        ({"keys": ["a"]}, '{"a": 1, "b": 2}', {"a": 1, "b": 3}, True),
        ({"keys": ["a"]}, '{"b": 3}', {"a": 1, "b": 3}, False),
        ({}, '{"a": 2}', [{"a": 1}, {"a": 2}], True),
        ({}, "not json", {"a": 1}, False),
        ({}, "null", {"a": 1}, False),
        ({}, '{"a": true}', {"a": 1}, False),
        ({}, '{"a": 0}', {"a": False}, False),
    ],
)
def test_json_equal(options: dict[str, Any], output: str, expected: Any, passed: bool) -> None:
    assert checked("json_equal", options, output, expected) is passed


@pytest.mark.parametrize(("kind", "options"), [("json_schema", {"schema": SCHEMA}), ("json_equal", {})])
def test_json_that_is_nested_too_deeply_fails(kind: str, options: dict[str, Any]) -> None:
    assert checked(kind, options, "[" * 100_000, {"a": 1}) is False


@pytest.mark.parametrize(("output", "passed"), [("one two three", True), ("one two three four", False), ("", True)])
def test_max_words(output: str, passed: bool) -> None:
    assert checked("max_words", {"limit": 3}, output, None) is passed


def test_exact_and_contains_level_ways_to_write_the_same() -> None:
    assert checked("contains", {}, "We open at 9:40\u202fAM.", "9:40 am")
    assert checked("exact", {}, "Don\u2019t", "don't")
    assert not checked("contains", {"ignore_case": False}, "Don\u2019t", "Don't")


@pytest.mark.parametrize(("output", "passed"), [("about 1.234,5", True), ("\u22121234.5", False), ("12 345", False)])
def test_numeric_reads_numbers_as_people_write_them(output: str, passed: bool) -> None:
    assert checked("numeric", {}, output, "1,234.5") is passed


@pytest.mark.parametrize("kind", ["json_equal", "json_schema"])
@pytest.mark.parametrize("output", ['{"a": NaN}', '{"a": -Infinity}', "NaN"])
def test_nan_and_infinity_are_no_json(kind: str, output: str) -> None:
    options = {"schema": {}} if kind == "json_schema" else {}
    assert not checked(kind, options, output, {"a": 1})


@pytest.mark.parametrize("kind", ["json_equal", "json_schema"])
def test_fence_around_json_counts_unless_it_is_allowed(kind: str) -> None:
    options: dict[str, Any] = {"schema": {"required": ["a"]}} if kind == "json_schema" else {}
    fenced = '```json\n{"a": 1}\n```\n'
    assert not checked(kind, options, fenced, {"a": 1})
    assert checked(kind, options | {"fence": True}, fenced, {"a": 1})
    assert not checked(kind, options | {"fence": True}, "Sure! " + fenced, {"a": 1})


def test_json_equal_in_keys_that_nothing_expected_has_is_an_error() -> None:
    with pytest.raises(EvaluationError, match="none of the keys city"):
        checked("json_equal", {"keys": ["city"]}, '{"town": "Lyon"}', {"City": "Paris"})


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ("\u0130STANBUL", "istanbul"),
        ("IRMAK", "\u0131rmak"),
        ("STRASSE", "stra\u00dfe"),
        ("\u039f\u0394\u039f\u03a3", "\u03bf\u03b4\u03cc\u03c2".replace("\u03cc", "\u03bf")),
        ("\uff30\uff41\uff32\uff49\uff33", "paris"),
        ("cafe\u0301", "CAF\u00c9"),
        ("\uff76\uff9e\uff97\uff7d", "\u30ac\u30e9\u30b9"),
    ],
)
@pytest.mark.parametrize("kind", ["exact", "contains"])
def test_case_and_coding_of_letters_do_not_count(kind: str, output: str, expected: str) -> None:
    assert checked(kind, {}, output, expected)


@pytest.mark.parametrize(
    ("output", "expected"),
    [("e\u0301te\u0301", "\u00e9t\u00e9"), ("n\u0303", "\u00f1"), ("\u1112\u1161\u11ab", "\ud55c")],
)
@pytest.mark.parametrize("kind", ["exact", "contains"])
def test_accents_are_the_same_letters_also_where_case_counts(kind: str, output: str, expected: str) -> None:
    assert checked(kind, {"ignore_case": False}, output, expected)
    assert not checked(kind, {"ignore_case": False}, output.upper() if output.isalpha() else "x", "y")


@pytest.mark.parametrize(("key", "value"), [("e\u0301", "o\u0308"), ("n\u0303", "a"), ("a", "u\u0308ber")])
def test_json_is_equal_however_its_letters_are_coded(key: str, value: str) -> None:
    wanted = {unicodedata.normalize("NFC", key): [unicodedata.normalize("NFC", value)]}
    assert checked("json_equal", {}, json.dumps({key: [value]}, ensure_ascii=False), wanted)
    assert checked("json_equal", {}, json.dumps({key: [value]}), wanted)
    assert not checked("json_equal", {}, json.dumps({key: [value + "x"]}), wanted)


@pytest.mark.parametrize(
    ("pattern", "output"), [("^\u00e9t\u00e9$", "e\u0301te\u0301"), ("^.$", "n\u0303"), ("caf\u00e9", "cafe\u0301")]
)
def test_pattern_is_found_however_letters_are_coded(pattern: str, output: str) -> None:
    assert run_main(check.check_regex(regex(pattern=pattern), output))[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("two words", 2),
        ("\u6211\u4eec\u4e0b\u5348\u516d\u70b9\u5173\u95e8", 8),
        ("\u6253\u958b Settings \u9801", 4),
        ("\u3053\u3093\u306b\u3061\u306f", 5),
        ("\uc548\ub155 \ud558\uc138\uc694", 2),
        ("\u0e23\u0e49\u0e32\u0e19\u0e1b\u0e34\u0e14\u0e2b\u0e01\u0e42\u0e21\u0e07", 3),
        ("", 0),
    ],
)
def test_words_are_counted_in_any_script(text: str, words: int) -> None:
    assert check.count_words(text) == words
    assert checked("max_words", {"limit": max(words, 1)}, text, None)
    assert words < 2 or not checked("max_words", {"limit": words - 1}, text, None)


def test_nothing_is_contained_in_no_text() -> None:
    assert not checked("contains", {}, "anything", ["\u200b", " "])
