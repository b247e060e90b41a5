import datetime
from typing import Any

import pytest

from ratchet.errors import InputError
from ratchet.tasks.run_input import MOST_CHARACTERS, run_input


@pytest.mark.parametrize(
    "text", [None, 7, {"question": "q"}, [{"role": "user"}], b"q", "", "  \n", "x" * (MOST_CHARACTERS + 1)]
)
def test_input_of_another_type_or_size_is_refused(text: Any) -> None:
    with pytest.raises(InputError, match=r"^the run cannot be served: .*input") as refused:
        run_input("t", text, None, None)
    assert len(str(refused.value)) < 250


@pytest.mark.parametrize(
    "expected", ["", " ", [], {}, ["a", ""], float("nan"), {"d": datetime.datetime(2024, 1, 1)}, "y" * 10**6]
)
def test_expected_that_nothing_can_be_compared_with_is_refused(expected: Any) -> None:
    with pytest.raises(InputError, match=r"^the run cannot be served: "):
        run_input("t", "q", expected, None)


@pytest.mark.parametrize("expected", [None, "x", 42, True, 1.5, [1, 2], {"a": {"b": [None, 1.5]}}])
def test_expected_json_is_taken_as_it_is(expected: Any) -> None:
    assert run_input("t", "q", expected, None).expected == expected


@pytest.mark.parametrize(
    ("task", "source"), [(None, None), (7, None), ("", None), ("t", 7), ("t", ""), ("t", "s" * 300)]
)
def test_task_and_source_are_texts(task: Any, source: Any) -> None:
    with pytest.raises(InputError, match=r"task|source"):
        run_input(task, "q", None, source)


def test_lone_surrogates_are_replaced_everywhere() -> None:
    asked = run_input("t", "a\ud800", {"k\udc00": ["\ud83d\ude00"]}, "s\ud800")
    assert asked.input == "a\ufffd"
    assert asked.expected == {"k\ufffd": ["\U0001f600"]}
    assert asked.source == "s\ufffd"
