import pytest

from ratchet.engine import Scored
from ratchet.gate import Pair, Runs
from ratchet.gate.pair import Rates, criterion_names, passes
from ratchet.records import CriterionResult, Evaluation
from ratchet.tasks import Case

CASE = Case(id="c", input="in", expected="ref", split="holdout")


def runs(*results: bool | None, name: str = "a") -> Runs:
    """Runs whose output says which one it is and what came of it."""
    return tuple(
        Scored(
            f"{place}:{result}",
            Evaluation(
                criteria=[
                    CriterionResult(
                        name=name, outcome="error" if result is None else "passed", passed=result, score=None
                    )
                ],
                score=None, passed=result, problems=[],
            ),
            1,
            None,
        )
        for place, result in enumerate(results)
    )  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "rates", "won", "lost"),
    [
        ([False], [True], (0, 1), True, False),
        ([True], [False], (1, 0), False, True),
        ([True, False, False], [True, True, False], (1 / 3, 2 / 3), True, False),
        ([True, False, True], [True, False, False], (2 / 3, 1 / 3), False, True),
        ([True, False], [False, True], (0.5, 0.5), False, False),
        ([None, False], [True, True], (0.5, 1), True, False),
        ([None, False], [True, False], (0.5, 0.5), False, False),
        ([True, True], [True, None], (1, 0.5), False, True),
        ([None, False], [None, True], (0, 0.5), True, False),
        ([None], [False], (1, 0), False, False),
    ],
)
def test_pair_compares_the_shares_of_its_runs_that_pass(
    old: list[bool | None], new: list[bool | None], rates: tuple[float, float], won: bool, lost: bool
) -> None:
    pair = Pair(CASE, runs(*old), runs(*new))
    assert pair.rates == pytest.approx(rates)
    assert (pair.won, pair.lost) == (won, lost)


def test_difference_shows_outputs_that_tell_and_the_means() -> None:
    won = Pair(CASE, runs(True, False, False), runs(False, True, True)).difference()
    assert (won.before, won.after) == ("1:False", "1:True")
    assert (won.before_rate, won.after_rate) == pytest.approx((1 / 3, 2 / 3))
    lost = Pair(CASE, runs(False, True, True), runs(True, False, False)).difference()
    assert (lost.before, lost.after) == ("1:True", "1:False")


def test_criterion_counts_the_repeats_in_which_a_side_has_a_result() -> None:
    pair = Pair(CASE, runs(True, None, None), runs(True, True, None))
    assert pair.criterion("a") == Rates(1.0, 1.0)
    assert Pair(CASE, runs(True, False), runs(None, True)).criterion("a") == Rates(0.5, 0.5)
    assert Pair(CASE, runs(None), runs(None)).criterion("a") is None
    assert Pair(CASE, runs(True, name="b"), runs(True)).criterion("b") == Rates(1.0, 0.0)


def test_passes_and_criterion_names() -> None:
    assert passes(runs(True, None, False, True)) == 2
    assert criterion_names([Pair(CASE, runs(True, name="b"), runs(True)), Pair(CASE, runs(True), ())]) == ["b", "a"]


def graded(*grades: float | None) -> Runs:
    """Runs of a task with a graded criterion; None where it could not be evaluated."""
    found = []
    for grade in grades:
        outcome, passed = ("error", None) if grade is None else ("passed", True)
        result = CriterionResult.model_validate({"name": "a", "outcome": outcome, "passed": passed, "score": grade})
        evaluation = Evaluation(criteria=[result], score=grade, passed=True, problems=[], grade=grade)
        found.append(Scored(f"worth {grade}", evaluation, 1, None))
    return tuple(found)


@pytest.mark.parametrize(
    ("old", "new", "rates", "won", "lost"),
    [
        ([0.3], [0.45], (0.3, 0.45), True, False),
        ([0.6], [0.55], (0.6, 0.55), False, True),
        ([0.2, 0.4], [0.4, 0.2], (0.3, 0.3), False, False),
        ([0.2, 0.8], [0.5, 0.9], (0.5, 0.7), True, False),
        ([None], [0.9], (1.0, 0.9), False, False),
        ([0.9], [None], (0.9, 0.0), False, True),
    ],
)
def test_pair_compares_grades_where_a_criterion_is_graded(
    old: list[float | None], new: list[float | None], rates: tuple[float, float], won: bool, lost: bool
) -> None:
    pair = Pair(CASE, graded(*old), graded(*new))
    assert pair.rates == pytest.approx(rates)
    assert pair.criterion("a") == pytest.approx(rates)
    assert pair.won is won
    if None not in old:
        assert pair.lost is lost


def test_graded_case_is_shown_by_its_worst_run_before_and_its_best_after() -> None:
    shown = Pair(CASE, graded(0.4, 0.2, 0.3), graded(0.5, 0.9, 0.7)).difference()
    assert (shown.before, shown.after) == ("worth 0.2", "worth 0.9")
    assert (shown.before_rate, shown.after_rate) == pytest.approx((0.3, 0.7))


def test_request_that_was_refused_is_worth_nothing_where_grades_count() -> None:
    refused = (Scored("", Evaluation(criteria=[], score=0.0, passed=False, problems=["run: too long"]), 0, None),)
    assert Pair(CASE, refused, graded(0.3)).rates == (0.0, 0.3)
    assert Pair(CASE, graded(0.3), refused).rates == (0.3, 0.0)
