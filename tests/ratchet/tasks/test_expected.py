from typing import Any

import pytest

from ratchet.tasks import as_answers, problem_of_expected


@pytest.mark.parametrize(
    "empty", ["", " \n", "\u200b", ["x", "\ufeff \u2060"], [], {}, [""], ["Lima", ""], ["Lima", None], [[]], [{}]]
)
def test_empty_expectation_is_a_problem(empty: Any) -> None:
    assert "is empty; leave it out where nothing is known" in str(problem_of_expected(empty))


@pytest.mark.parametrize("value", [float("nan"), [1, float("inf")], {"a": {"b": float("-inf")}}])
def test_number_that_is_no_json_is_a_problem(value: Any) -> None:
    assert "no JSON" in str(problem_of_expected(value))


@pytest.mark.parametrize(
    "value", [10**5000, [10**5000], {"a": -(10**4301)}], ids=["alone", "in a list", "in an object"]
)
def test_number_that_cannot_be_written_is_a_problem(value: Any) -> None:
    assert problem_of_expected(value) == "the expected output with a number of so many digits is no JSON"


@pytest.mark.parametrize("value", ["a\ud800", ["\udfff"], {"\ud9ff": 1}, [{"a": ["\udc00"]}]])
def test_text_that_cannot_be_written_is_a_problem(value: Any) -> None:
    problem = str(problem_of_expected(value))
    assert "half of a surrogate pair" in problem
    problem.encode()


@pytest.mark.parametrize("value", [None, "x", 0, 42, 1.5, False, ["a", "b"], {"a": ""}, [{"a": []}]])
def test_everything_else_can_be_expected(value: Any) -> None:
    assert problem_of_expected(value) is None


@pytest.mark.parametrize(
    ("given", "answers"), [("a", ["a"]), (["a", "b"], ["a", "b"]), ({"a": 1}, [{"a": 1}]), ([], [])]
)
def test_any_of_a_list_is_right(given: Any, answers: list[Any]) -> None:
    assert as_answers(given) == answers
