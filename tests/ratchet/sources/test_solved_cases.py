import pytest

from ratchet.prompting import Example
from ratchet.sources import SolvedCases
from ratchet.tasks import Case

pytestmark = pytest.mark.anyio


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
    return SolvedCases(
        [Case(id=str(n), input=text, expected=expected, split=split) for n, (text, expected, split) in enumerate(lines)]
    )


def test_solved_cases_never_hold_held_out_or_unsolved_cases(solved: SolvedCases) -> None:
    assert [example.output for example in solved.all()] == ["1", "2", "3", "5"]
    assert "4" not in [example.output for example in solved.similar("red apple secret", 10)]


def test_solved_cases_put_the_most_similar_last(solved: SolvedCases) -> None:
    assert [example.output for example in solved.similar("green apple", 3)][-1] == "2"
    assert solved.similar("red apple price", 1) == [Example(input="red apple price", output="1")]


def test_solved_cases_leave_out_the_own_input(solved: SolvedCases) -> None:
    found = solved.similar("red apple price", 2, exclude=" red apple price\n")
    assert "1" not in [example.output for example in found]
    assert len(found) == 2


def labelled(inputs: int, answers: int, held_out: int = 0) -> SolvedCases:
    cases = [Case(id=str(n), input=f"in {n}", expected=f"out {n % answers}", split="train") for n in range(inputs)]
    more = [Case(id=f"h{n}", input=f"held {n}", expected=f"held {n}", split="holdout") for n in range(held_out)]
    return SolvedCases([*more, *cases])


def test_solved_cases_show_one_of_each_answer_where_answers_are_few() -> None:
    found = labelled(8, 4, held_out=9).of_each_answer()
    assert [(example.input, example.output) for example in found] == [(f"in {n}", f"out {n}") for n in range(4)]


def test_solved_cases_show_another_case_of_the_answer_for_a_training_input() -> None:
    found = labelled(8, 4).of_each_answer(exclude=" in 1\n")
    assert {example.output: example.input for example in found}["out 1"] == "in 5"


@pytest.mark.parametrize(
    ("inputs", "answers", "shown"), [(7, 4, 0), (8, 4, 4), (100, 12, 12), (100, 13, 0), (20, 1, 1)]
)
def test_solved_cases_show_each_answer_only_where_they_repeat_and_are_few(
    inputs: int, answers: int, shown: int
) -> None:
    assert len(labelled(inputs, answers).of_each_answer()) == shown


def test_solved_cases_of_nothing_are_empty() -> None:
    assert SolvedCases([]).similar("x", 3) == []
    assert SolvedCases([]).of_each_answer() == []
    assert len(SolvedCases([])) == 0
