from typing import Any

import pytest

from ratchet.prompting import Example
from ratchet.sources import SolvedCases
from ratchet.tasks import Case

pytestmark = pytest.mark.anyio


def case(number: int, text: str, expected: Any = "x", split: Any = "train") -> Case:
    return Case(id=f"c{number}", input=text, expected=expected, split=split)


@pytest.fixture
def solved() -> SolvedCases:
    lines = [
        ("red apple price", "1", "train"),
        ("green apple price today", "2", "train"),
        ("red apple", "3", "train"),
        ("red apple secret", "4", "holdout"),
        ("red apple unknown", None, "train"),
        ("zebra", "5", "train"),
    ]
    return SolvedCases([case(number, *line) for number, line in enumerate(lines)])


def labelled(inputs: int, answers: int, held_out: int = 0) -> SolvedCases:
    cases = [case(n, f"in {n}", f"out {n % answers}") for n in range(inputs)]
    return SolvedCases([*(case(100 + n, f"held {n}", f"held {n}", "holdout") for n in range(held_out)), *cases])


async def test_solved_cases_never_hold_held_out_or_unsolved_cases(solved: SolvedCases) -> None:
    assert [example.output for example in solved.all()] == ["1", "2", "3", "5"]
    assert "4" not in [example.output for example in await solved.similar("red apple secret", 10)]
    assert len(solved) == 4


async def test_solved_cases_put_the_most_similar_last(solved: SolvedCases) -> None:
    assert [example.output for example in await solved.similar("green apple", 3)][-1] == "2"
    assert await solved.similar("red apple price", 1) == [Example(input="red apple price", output="1")]


async def test_solved_cases_show_only_what_is_similar(solved: SolvedCases) -> None:
    assert [example.output for example in await solved.similar("a zebra?", 10)] == ["5"]
    assert await solved.similar("bicycle", 10) == []


async def test_solved_cases_leave_out_the_own_input(solved: SolvedCases) -> None:
    found = await solved.similar("red apple price", 2, exclude=" red apple price\n")

    assert "1" not in [example.output for example in found]
    assert len(found) == 2


async def test_solved_cases_leave_out_every_case_of_the_own_input() -> None:
    twins = [case(number, text, f"{number}") for number, text in enumerate(["red apple", "red apple ", "green apple"])]

    found = await SolvedCases(twins).similar("red apple", 3, exclude="red apple")

    assert [example.output for example in found] == ["2"]


@pytest.mark.parametrize(
    ("expected", "shown"),
    [("a", "a"), (["a", "b"], "a"), ({"k": "é"}, '{"k": "é"}'), ([{"k": 1}], '{"k": 1}'), (7, "7"), (True, "true")],
)
def test_solved_cases_show_the_answer_as_an_assistant_would_say_it(expected: Any, shown: str) -> None:
    assert SolvedCases([case(0, "in", expected)]).all() == [Example(input="in", output=shown)]


def test_solved_cases_cannot_be_changed_from_outside(solved: SolvedCases) -> None:
    solved.all().clear()

    assert len(solved.all()) == 4


def test_solved_cases_show_one_of_each_answer_where_answers_are_few() -> None:
    found = labelled(8, 4, held_out=9).of_each_answer()

    assert [(example.input, example.output) for example in found] == [(f"in {n}", f"out {n}") for n in range(4)]


def test_solved_cases_show_another_case_of_the_answer_for_a_training_input() -> None:
    found = labelled(8, 4).of_each_answer(exclude=" in 1\n")

    assert {example.output: example.input for example in found}["out 1"] == "in 5"


def test_answer_that_only_the_own_input_has_is_not_shown() -> None:
    cases = [case(n, f"in {n}", "often") for n in range(9)] + [case(9, "in 9", "once")]

    assert [example.output for example in SolvedCases(cases).of_each_answer(exclude="in 9")] == ["often"]


@pytest.mark.parametrize(
    ("inputs", "answers", "shown"), [(7, 4, 0), (8, 4, 4), (100, 12, 12), (100, 13, 0), (20, 1, 1)]
)
def test_solved_cases_show_each_answer_only_where_they_repeat_and_are_few(
    inputs: int, answers: int, shown: int
) -> None:
    assert len(labelled(inputs, answers).of_each_answer()) == shown


async def test_solved_cases_of_nothing_are_empty() -> None:
    assert await SolvedCases([]).similar("x", 3) == []
    assert SolvedCases([]).of_each_answer() == []
    assert len(SolvedCases([])) == 0
