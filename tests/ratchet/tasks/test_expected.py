from typing import Any

import pytest

from ratchet.tasks import problem_of_expected


@pytest.mark.parametrize(
    "empty", ["", " \n", "\u200b", ["x", "\ufeff \u2060"], [], {}, [""], ["Lima", ""], ["Lima", None], [[]], [{}]]
)
def test_empty_expectation_is_a_problem(empty: Any) -> None:
    assert "is empty; leave it out where nothing is known" in str(problem_of_expected(empty))


@pytest.mark.parametrize("value", [float("nan"), [1, float("inf")], {"a": {"b": float("-inf")}}])
def test_number_that_is_no_json_is_a_problem(value: Any) -> None:
    assert "no JSON" in str(problem_of_expected(value))


@pytest.mark.parametrize("value", [None, "x", 0, 42, 1.5, False, ["a", "b"], {"a": ""}, [{"a": []}]])
def test_everything_else_can_be_expected(value: Any) -> None:
    assert problem_of_expected(value) is None
