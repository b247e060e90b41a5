from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from ratchet.prompting.rules import RuleEntry
from ratchet.tasks import Criterion
from ratchet.tasks.criteria import MOST_JUDGE_REPEATS, Judge, Numeric, Python

ADAPTER: TypeAdapter[Any] = TypeAdapter(Criterion)


def criterion(kind: str, **keys: Any) -> Any:
    return ADAPTER.validate_python({"name": "c", "kind": kind, **keys})


def test_criterion_keys_have_defaults() -> None:
    exact = criterion("exact")
    assert (exact.weight, exact.required, exact.requirement, exact.ignore_case) == (1.0, False, None, True)
    assert Numeric(name="c", kind="numeric").tolerance == 1e-6
    assert Python(name="c", kind="python", use="m:f").pass_score == 0.5
    assert Judge(name="c", kind="judge", question="Is it?").repeats == 1


@pytest.mark.parametrize("pattern", [r"\p{Lu}\w+", "(?<=a+)b", "(?i)x", r"^\d{1,3}$"])
def test_regex_takes_the_patterns_that_rules_take(pattern: str) -> None:
    assert criterion("regex", pattern=pattern).pattern == pattern
    assert RuleEntry(rule="r", must_match=pattern).must_match == pattern


def test_regex_that_is_found_in_everything_is_refused() -> None:
    with pytest.raises(ValidationError, match="at least 1"):
        criterion("regex", pattern="")


@pytest.mark.parametrize("values", [[""], ["a", " "], ["\u200b"], ["a", "\ufeff\u00ad"]])
def test_contains_refuses_values_that_nobody_sees(values: list[str]) -> None:
    with pytest.raises(ValidationError, match="is part of every output"):
        criterion("contains", values=values)


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
@pytest.mark.parametrize(("kind", "key"), [("exact", "weight"), ("numeric", "tolerance"), ("python", "pass_score")])
def test_numbers_that_decide_nothing_are_refused(kind: str, key: str, number: float) -> None:
    with pytest.raises(ValidationError, match=key):
        criterion(kind, **{key: number, **({"use": "m:f"} if kind == "python" else {})})


@pytest.mark.parametrize("pattern", ["(", "[", "a{2,1}", r"\p{Nonsense}", "(?P<n>a)(?P=m)"])
def test_regex_refuses_the_patterns_that_rules_refuse(pattern: str) -> None:
    with pytest.raises(ValidationError, match="not a regular expression: "):
        criterion("regex", pattern=pattern)
    with pytest.raises(ValidationError, match="not a regular expression: "):
        RuleEntry(rule="r", must_not_match=pattern)


@pytest.mark.parametrize("repeats", [1, 3, MOST_JUDGE_REPEATS])
def test_judge_takes_odd_repeats(repeats: int) -> None:
    assert criterion("judge", question="Is it?", repeats=repeats).repeats == repeats


@pytest.mark.parametrize(
    ("kind", "keys", "problem"),
    [
        ("judge", {"question": "Is it?", "repeats": 2}, "has to be odd"),
        ("judge", {"question": "Is it?", "repeats": MOST_JUDGE_REPEATS + 2}, "less than or equal to 15"),
        ("judge", {"question": "?"}, "at least 3 characters"),
        ("json_schema", {"schema": {"type": "nonsense"}}, "not a JSON Schema"),
        ("json_schema", {"definition": {}}, "schema"),
        ("python", {"use": "module.function"}, "should match pattern"),
        ("numeric", {"tolerance": -1}, "greater than or equal to 0"),
        ("max_words", {"limit": 0}, "greater than or equal to 1"),
        ("contains", {"values": []}, "at least 1 item"),
        ("exact", {"weight": 0}, "greater than 0"),
        ("exact", {"values": ["a"]}, "Extra inputs are not permitted"),
        ("magic", {}, "does not match any of the expected tags"),
    ],
)
def test_criterion_that_is_wrong_is_refused(kind: str, keys: dict[str, Any], problem: str) -> None:
    with pytest.raises(ValidationError, match=problem):
        criterion(kind, **keys)


def test_criterion_cannot_be_changed_after_loading() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        criterion("exact").weight = 2.0
