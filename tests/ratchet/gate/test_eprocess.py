import math
import random
from collections import Counter
from collections.abc import Sequence
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.gate import PairedTest, wilson
from ratchet.gate.eprocess import BETS, wealth, wealth_over

rates = st.sampled_from([0.0, 1 / 3, 0.5, 2 / 3, 1.0])
pairs = st.lists(st.tuples(rates, rates), max_size=60)
counts = st.integers(0, 200)


def after(results: Sequence[tuple[float, float]]) -> PairedTest:
    test = PairedTest()
    for old, new in results:
        test.add(old, new)
    return test


def test_bets_are_a_mixture_of_fair_bets() -> None:
    assert math.isclose(sum(weight for _, weight in BETS), 1.0)
    assert all(0 < bet < 1 and weight > 0 for bet, weight in BETS)


@given(pairs, st.randoms())
def test_wealth_does_not_depend_on_the_order(results: list[tuple[float, float]], rng: random.Random) -> None:
    mixed = list(results)
    rng.shuffle(mixed)
    assert (after(results).better, after(results).worse) == (after(mixed).better, after(mixed).worse)


@given(counts, counts)
def test_wealth_rises_with_wins_and_falls_with_losses(wins: int, losses: int) -> None:
    assert wealth(wins + 1, losses) > wealth(wins, losses) > wealth(wins, losses + 1) >= 0


@given(pairs)
def test_worse_is_better_with_old_and_new_exchanged(results: list[tuple[float, float]]) -> None:
    assert after(results).worse == after([(new, old) for old, new in results]).better


def test_wealth_ignores_ties() -> None:
    assert after([(True, True), (False, False)] * 50).better == pytest.approx(1.0)


@pytest.mark.parametrize("n", range(1, 9))
@pytest.mark.parametrize("chances", [(0.5, 0.5), (0.2, 0.2), (0.1, 0.3), (0.0, 0.0), (0.5, 0.25)])
def test_wealth_is_expected_to_stay_at_most_one_when_the_change_is_no_better(
    n: int, chances: tuple[float, float]
) -> None:
    win, loss = min(chances), max(chances)
    probability = {1: win, -1: loss, 0: 1 - win - loss}
    mean = sum(
        math.prod(probability[step] for step in path) * wealth(path.count(1), path.count(-1))
        for path in product((-1, 0, 1), repeat=n)
    )
    assert mean <= 1 + 1e-12
    if win == loss:
        assert mean == pytest.approx(1.0)


@given(st.lists(st.tuples(st.floats(-1, 1), st.floats(0.01, 1)), min_size=1, max_size=5), st.integers(1, 6))
def test_wealth_of_bounded_differences_is_expected_to_stay_at_most_one(
    steps: list[tuple[float, float]], n: int
) -> None:
    """Any distribution on [-1, 1], mixed with enough differences of -1 to bring its mean to at most 0."""
    total = sum(chance for _, chance in steps)
    mean = sum(size * chance for size, chance in steps) / total
    worst = max(0.0, mean) / (1 + max(0.0, mean))
    chances = [*((size, (1 - worst) * chance / total) for size, chance in steps), (-1.0, worst)]
    expected = sum(weight * sum(chance * (1 + bet * size) for size, chance in chances) ** n for bet, weight in BETS)
    assert expected <= 1 + 1e-9
    if n <= 3:
        expectation = sum(
            math.prod(chance for _, chance in path) * wealth_over(Counter(size for size, _ in path))
            for path in product(chances, repeat=n)
        )
        assert expectation == pytest.approx(expected)


@given(counts, counts)
def test_wealth_over_whole_differences_is_that_of_wins_and_losses(wins: int, losses: int) -> None:
    assert wealth_over({1.0: wins, 0.0: 7, -1.0: losses}) == wealth(wins, losses)


def test_smaller_differences_are_smaller_evidence() -> None:
    assert 1 < after([(1 / 3, 2 / 3)] * 10).better < after([(0, 2 / 3)] * 10).better < after([(0, 1)] * 10).better


@pytest.mark.parametrize("cases", [1100, 5000, 100_000])
def test_wealth_over_thousands_of_cases_is_a_number(cases: int) -> None:
    undecided = after([(0, 1), (1, 0)] * 6)

    assert math.isfinite(undecided.best_possible(cases))
    assert undecided.best_possible(cases) > 1e300
    assert math.isfinite(wealth(cases, 0))
    assert wealth_over({1.0: cases, -1.0: cases}) < 1e-9
    assert wealth(0, cases) < 1e-90


@given(pairs, rates, rates)
def test_wealth_rises_with_a_case_won_and_falls_with_one_lost(
    results: list[tuple[float, float]], old: float, new: float
) -> None:
    before, then = after(results).better, after([*results, (old, new)]).better

    assert (then > before, then < before) == (new > old, new < old)


@given(st.lists(st.tuples(rates, rates).filter(lambda pair: pair[1] <= pair[0]), max_size=60))
def test_change_that_wins_nothing_never_gains_wealth(results: list[tuple[float, float]]) -> None:
    assert after(results).better <= 1 + 1e-12
    assert after(results).worse >= 1 - 1e-12


@given(pairs, st.integers(0, 40))
def test_no_way_to_go_on_beats_winning_all_that_is_left(results: list[tuple[float, float]], left: int) -> None:
    most = after(results[left:]).best_possible(min(left, len(results)))

    assert after([*results[left:], *results[:left]]).better <= most * (1 + 1e-9)


def test_best_possible_is_reached_by_winning_all_that_is_left() -> None:
    seen = [(1 / 3, 1.0), (1.0, 0.5)]
    assert after(seen).best_possible(5) == pytest.approx(after([*seen, *[(0.0, 1.0)] * 5]).better)
    assert after(seen).best_possible(0) == after(seen).better


@pytest.mark.parametrize(
    ("passed", "n", "low", "high"),
    [
        (0, 0, 0.0, 1.0),
        (0, 10, 0.0, 0.2775),
        (5, 10, 0.2366, 0.7634),
        (10, 10, 0.7225, 1.0),
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_published_values(passed: int, n: int, low: float, high: float) -> None:
    assert wilson(passed, n) == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))
