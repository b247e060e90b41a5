import math
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.search.evidence import BETS, wealth

counts = st.integers(0, 200)


def test_bets_are_a_mixture_of_fair_bets() -> None:
    assert math.isclose(sum(weight for _, weight in BETS), 1.0)
    assert all(0 < bet < 1 and weight > 0 for bet, weight in BETS)


@given(counts, counts)
def test_wealth_rises_with_wins_and_falls_with_losses(wins: int, losses: int) -> None:
    assert wealth(wins + 1, losses) > wealth(wins, losses) > wealth(wins, losses + 1) >= 0


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


@pytest.mark.parametrize("cases", [1100, 5000, 100_000])
def test_wealth_over_thousands_of_cases_is_a_number(cases: int) -> None:
    assert math.isfinite(wealth(cases, 0))
    assert wealth(cases, cases) < 1e-9
    assert wealth(0, cases) < 1e-90
