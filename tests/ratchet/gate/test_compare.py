import random
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.engine import Scored
from ratchet.gate import Comparison, Pair, Runs, error_level, measure, no_proof
from ratchet.gate.compare import LEAST_CASES, WORSE_LEVEL
from ratchet.gate.eprocess import FUTILE, MOST_BET
from ratchet.records import CriterionResult, Evaluation
from ratchet.tasks import Case

CASE = Case(id="c", input="in", expected="ref", split="holdout")


def scored(passed: bool | None, **criteria: bool | None) -> Runs:
    results = [
        CriterionResult(
            name=name,
            outcome="error" if value is None else "passed" if value else "failed",
            passed=value,
            score=None if value is None else float(value),
        )
        for name, value in criteria.items()
    ]
    return (Scored("out", Evaluation(criteria=results, score=None, passed=passed, problems=[]), 1, 0.1),)


WIN = Pair(CASE, scored(False, a=False), scored(True, a=True))
LOSS = Pair(CASE, scored(True, a=True), scored(False, a=False))
TIE = Pair(CASE, scored(True, a=True), scored(True, a=True))
OPEN = Pair(CASE, scored(False, a=False), scored(False, a=False))
UNSCORED = Pair(CASE, scored(True, a=True), scored(None, a=None))


ENOUGH = next(wins for wins in range(100) if (1 + MOST_BET) ** wins >= 20)
"""Cases of which each has to be won outright to prove a change that has proven nothing yet."""


def compared(pairs: Sequence[Pair], error: float = 0.05, cases: int | None = None) -> Comparison:
    comparison = Comparison(error, cases or len(pairs))
    comparison.add(pairs)
    return comparison


def test_clear_improvement_is_proven() -> None:
    found = compared([WIN] * 12).result(fixed=1, triggering=1)
    assert (found.verdict, found.proven, found.vetoes) == ("better", True, [])
    assert found.e_value >= found.needed == 20
    assert (found.before.passed, found.after.passed, len(found.wins), len(found.losses)) == (0, 12, 12, 0)


def test_clear_decline_is_worse() -> None:
    found = compared([LOSS] * 12).result(fixed=1, triggering=1)
    assert (found.verdict, found.proven, len(found.losses)) == ("worse", False, 12)


def test_empty_comparison_is_never_better() -> None:
    found = compared([], error=1.0).result(fixed=1, triggering=1)
    assert found.proven is False
    assert found.reason == "there is no held-out case to prove anything on"


def test_unproven_is_never_better() -> None:
    found = no_proof("because", triggering=3)
    assert (found.verdict, found.proven, found.reason, found.vetoes) == ("inconclusive", False, "because", ["because"])


@pytest.mark.parametrize("old", [True, False, None])
def test_undecided_new_run_counts_as_failed(old: bool | None) -> None:
    comparison = compared([Pair(CASE, scored(old), scored(None))])
    assert comparison.test.wins == 0
    assert comparison.test.losses == (old is True)


def test_undecided_old_run_counts_as_passed() -> None:
    assert compared([Pair(CASE, scored(None), scored(True))]).test.wins == 0


@pytest.mark.parametrize("undecided", [0, 3])
def test_reason_says_how_many_cases_could_not_be_scored(undecided: int) -> None:
    open_case = Pair(CASE, scored(None), scored(None))
    found = compared([TIE] * 5 + [open_case] * undecided).result(fixed=1, triggering=1)
    assert ("3 could not be scored" in found.reason) is bool(undecided)
    assert (found.verdict, found.proven) == ("inconclusive", False)


def test_missing_metric_is_a_regression() -> None:
    gone = Pair(CASE, scored(False, a=False, b=True), scored(True, a=True))
    found = compared([gone] * 12).result(fixed=1, triggering=1)
    assert found.verdict == "better"
    assert found.vetoes == ["criterion 'b' falls from 100% to 0%"]
    assert found.proven is False


def test_metric_that_turns_into_an_error_is_a_regression() -> None:
    broken = Pair(CASE, scored(False, a=False, b=True), scored(True, a=True, b=None))
    assert compared([broken] * 12).regressions() == ["criterion 'b' falls from 100% to 0%"]


def test_metric_that_is_undecided_on_both_sides_is_left_out() -> None:
    pair = Pair(CASE, scored(False, a=False, b=None), scored(True, a=True, b=None))
    assert list(compared([pair] * 3).criteria()) == ["a"]


@pytest.mark.parametrize(("lost", "regressed"), [(0, False), (2, False), (3, True)])
def test_criterion_may_lose_two_points(lost: int, regressed: bool) -> None:
    kept = Pair(CASE, scored(False, a=False, b=True), scored(True, a=True, b=True))
    fallen = Pair(CASE, scored(False, a=False, b=True), scored(True, a=True, b=False))
    found = compared([fallen] * lost + [kept] * (100 - lost)).result(fixed=1, triggering=1)
    assert bool(found.vetoes) is regressed
    assert found.proven is not regressed


def test_change_that_fixes_no_triggering_failure_is_vetoed() -> None:
    found = compared([WIN] * 12).result(fixed=0, triggering=4)
    assert (found.verdict, found.proven) == ("better", False)
    assert found.vetoes == ["none of the triggering failures is fixed"]


def test_veto_from_outside_holds() -> None:
    found = compared([WIN] * 12).result(fixed=1, triggering=1, vetoes=["too expensive"])
    assert (found.proven, found.reason) == (False, "better, but vetoed: too expensive")


@pytest.mark.parametrize(
    ("pairs", "left", "settled"),
    [
        ([WIN] * 11, 100, False),
        ([WIN] * 12, 20, True),
        ([WIN] * 16, 100, True),
        ([LOSS] * 11, 100, False),
        ([LOSS] * 12, 20, True),
        ([LOSS] * 16, 100, True),
        ([TIE] * 500, ENOUGH - 1, True),
        ([TIE] * 500, ENOUGH, False),
        ([WIN] * 7 + [LOSS] * 6, 100, False),
        ([WIN] * 7 + [LOSS] * 6, 10_000, False),
        ([Pair(CASE, scored(False, b=True), scored(True))] * 20, 100, False),
    ],
)
def test_settled_when_more_cases_are_not_worth_their_cost(pairs: list[Pair], left: int, settled: bool) -> None:
    assert compared(pairs, cases=len(pairs) + left).is_settled(left) is settled


def test_settled_when_the_change_has_become_hopeless() -> None:
    comparison = compared([LOSS, WIN, TIE, LOSS, LOSS, TIE, WIN, LOSS, LOSS, TIE, WIN, LOSS, LOSS], cases=30)
    assert comparison.test.better <= FUTILE
    assert comparison.test.worse < 1 / WORSE_LEVEL
    assert comparison.verdict() == "inconclusive"
    assert comparison.is_settled(500)


some_pairs = st.lists(st.sampled_from([WIN, LOSS, TIE, OPEN, UNSCORED]), max_size=80)


@given(st.lists(st.sampled_from([LOSS, TIE, OPEN, UNSCORED]), max_size=200), st.floats(0.001, 0.5))
def test_change_that_only_loses_is_never_proven(pairs: list[Pair], level: float) -> None:
    found = compared(pairs, level).result(fixed=5, triggering=5)

    assert not found.proven
    assert found.wins == []
    assert found.verdict != "better"


@given(some_pairs, st.randoms())
def test_counts_and_rates_do_not_depend_on_the_order_of_the_cases(pairs: list[Pair], rng: random.Random) -> None:
    mixed = list(pairs)
    rng.shuffle(mixed)

    one, other = (compared(given_pairs).result(fixed=1, triggering=1) for given_pairs in (pairs, mixed))

    assert (one.before, one.after, one.criteria) == (other.before, other.after, other.criteria)
    assert (len(one.wins), len(one.losses)) == (len(other.wins), len(other.losses))


@given(some_pairs)
def test_proof_needs_evidence_and_no_veto(pairs: list[Pair]) -> None:
    found = compared(pairs).result(fixed=1, triggering=1)

    assert found.proven is (found.e_value >= found.needed and not found.vetoes)
    assert found.missing is None or (found.verdict == "inconclusive" and found.e_value < found.needed)
    assert (found.before.n, found.after.n) == (len(pairs), len(pairs))
    assert found.after.passed - found.before.passed <= len(found.wins)


@given(some_pairs, some_pairs)
def test_blocks_of_cases_add_up(first: list[Pair], second: list[Pair]) -> None:
    comparison = compared(first, cases=len(first + second))
    comparison.add(second)

    assert comparison.result(fixed=1, triggering=1) == compared(first + second).result(fixed=1, triggering=1)


def proven_within(cases: int, win: float, loss: float, rng: random.Random) -> bool:
    comparison = Comparison(error_level(1, 0), cases)
    for number in range(1, cases + 1):
        chance = rng.random()
        pair = WIN if chance < win else LOSS if chance < win + loss else TIE
        comparison.add([pair])
        may_change = pair is WIN or number == LEAST_CASES
        if may_change and comparison.test.better >= comparison.needed and comparison.is_settled(cases - number):
            return True
    return False


@pytest.mark.parametrize(
    ("pairs", "missing"),
    [
        ([WIN] * 5 + [TIE] * 15, 2),
        ([WIN] * 6 + [LOSS] + [TIE] * 13, 3),
        ([WIN] * 4 + [TIE] * 20, 3),
        ([WIN] * 2 + [LOSS] * 2 + [TIE] * 20, None),
        ([LOSS] * 3 + [TIE] * 20, None),
        ([WIN] * 12, None),
        ([LOSS] * 12, None),
        ([TIE] * 30, None),
        ([], None),
    ],
)
def test_inconclusive_gain_says_how_many_cases_are_missing(pairs: list[Pair], missing: int | None) -> None:
    level = error_level(1, 0)
    found = compared(pairs, level).result(fixed=1, triggering=1)
    assert found.missing == missing
    assert (f"; {missing} more case" in found.reason) is (missing is not None)
    if missing:
        more = [WIN] * missing
        assert compared(pairs + more, level).verdict() == "better"
        assert compared(pairs + more[1:], level).verdict() == "inconclusive"


@pytest.mark.parametrize("change", [0.09, 0.25, 0.5])
def test_equal_prompts_are_hardly_ever_proven_better(change: float) -> None:
    rng = random.Random(7)
    assert sum(proven_within(100, change, change, rng) for _ in range(500)) < 25


@pytest.mark.parametrize(("win", "loss", "share"), [(0.4, 0.0, 0.95), (0.45, 0.05, 0.9), (0.49, 0.09, 0.8)])
def test_forty_points_are_nearly_always_proven_within_sixty_cases(win: float, loss: float, share: float) -> None:
    rng = random.Random(7)
    assert sum(proven_within(60, win, loss, rng) for _ in range(300)) > 300 * share


def runs(*passed: bool | None, **criteria: Sequence[bool]) -> Runs:
    return tuple(
        scored(result, **{name: values[place] for name, values in criteria.items()})[0]
        for place, result in enumerate(passed)
    )


def test_repeats_are_compared_by_the_means_of_cases() -> None:
    risen = Pair(CASE, runs(False, True, False), runs(True, True, False))
    fallen = Pair(CASE, runs(True, True, True), runs(True, False, True))
    level_ = Pair(CASE, runs(True, False, False), runs(False, False, True))
    found = compared([risen] * 3 + [fallen] * 2 + [level_]).result(fixed=1, triggering=1)
    assert found.reason.startswith("3 cases won and 2 lost of 6; evidence ")
    assert (len(found.wins), len(found.losses)) == (3, 2)
    assert found.before == measure(10 / 3, 6).model_copy(update={"rate": pytest.approx(10 / 18)})
    assert (found.after.passed, found.after.n) == (pytest.approx(11 / 3), 6)
    assert found.after.high - found.after.low == pytest.approx(0.63, abs=0.02)  # by 6 cases, not by 18 runs


@pytest.mark.parametrize(("fallen", "regressed"), [(6, False), (7, True)])
def test_criterion_may_lose_two_points_of_its_mean(fallen: int, regressed: bool) -> None:
    kept = Pair(CASE, runs(False, False, False, b=[True] * 3), runs(True, True, True, b=[True] * 3))
    one_lost = Pair(CASE, runs(False, False, False, b=[True] * 3), runs(True, True, True, b=[True, True, False]))
    comparison = compared([one_lost] * fallen + [kept] * (100 - fallen))
    assert bool(comparison.regressions()) is regressed
    assert comparison.criteria()["b"].n == 100


def test_repeats_that_pass_more_often_are_proven_though_no_single_run_would_tell() -> None:
    risen = Pair(CASE, runs(True, False, False), runs(True, True, False))
    assert compared([risen] * 30).verdict() == "better"
    assert compared([Pair(CASE, risen.old[:1], risen.new[:1])] * 30).verdict() == "inconclusive"


def proven_with(repeats: int, gain: float, rng: random.Random) -> bool:
    """Whether a noisy agent's change of that mean gain, another one on each case, is proven within 50 cases."""
    comparison = Comparison(0.05, 50)
    for number in range(1, 51):
        chance, change = rng.uniform(0.25, 0.65), rng.uniform(-0.2, 0.2) + gain
        old = runs(*(rng.random() < chance for _ in range(repeats)))
        new = runs(*(rng.random() < chance + change for _ in range(repeats)))
        comparison.add([Pair(CASE, old, new)])
        if number % 8 == 0 and comparison.is_settled(50 - number):
            break
    return comparison.verdict() == "better"


@pytest.mark.parametrize("repeats", [1, 3])
def test_noisy_agent_is_hardly_ever_proven_better_by_nothing(repeats: int) -> None:
    rng = random.Random(11)
    assert sum(proven_with(repeats, 0.0, rng) for _ in range(400)) <= 0.05 * 400


def test_three_runs_prove_more_of_a_noisy_gain_than_one() -> None:
    rng = random.Random(11)
    once, thrice = (sum(proven_with(repeats, 0.2, rng) for _ in range(200)) / 200 for repeats in (1, 3))
    assert thrice > once + 0.2
