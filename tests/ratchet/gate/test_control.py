import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.gate.control import ERROR, error_level

numbers, discoveries = st.integers(1, 10_000), st.integers(0, 10_000)


@pytest.mark.parametrize("error", [0.05, 0.2])
def test_level_spends_at_most_the_error_without_discoveries(error: float) -> None:
    spent = sum(error_level(number, 0, error) for number in range(1, 200_000))
    assert error * 0.99 < spent <= error


def test_level_grows_with_discoveries_and_falls_with_tests() -> None:
    assert error_level(1, 0) == pytest.approx(0.05 / 2.612375348685488)
    assert error_level(5, 3) == pytest.approx(4 * error_level(5, 0))
    assert error_level(2, 0) < error_level(1, 0)
    assert error_level(1, 10_000) == 1.0


@given(numbers, discoveries, st.floats(0.001, 1.0))
def test_level_is_a_level_that_a_discovery_raises_and_another_test_lowers(
    number: int, found: int, error: float
) -> None:
    level = error_level(number, found, error)
    assert 0 < level <= 1
    assert level <= error_level(number, found + 1, error)
    assert level >= error_level(number + 1, found, error)


def share_of_bad_changes(level: Callable[[int, int], float], helping: float, lives: int = 4000) -> float:
    """Mean share of changes that help nothing, among those shipped in the 30 tests of a task.

    A change that helps has an e-value beyond every level. One that helps nothing is shipped as often as Ville's
    inequality allows at most: with a chance that is the level.
    """
    dice = random.Random(3)
    shares = []
    for _ in range(lives):
        shipped = bad = 0
        for number in range(1, 31):
            helps = dice.random() < helping
            if helps or dice.random() < level(number, shipped):
                shipped, bad = shipped + 1, bad + (not helps)
        shares.append(bad / max(1, shipped))
    return sum(shares) / lives


@pytest.mark.parametrize("helping", [0.0, 0.1, 0.5])
def test_share_of_bad_changes_among_the_shipped_ones_stays_below_the_bound(helping: float) -> None:
    assert share_of_bad_changes(error_level, helping) < ERROR


@pytest.mark.parametrize("helping", [0.0, 0.1])
def test_level_that_does_not_fall_would_break_the_bound(helping: float) -> None:
    assert share_of_bad_changes(lambda number, discoveries: ERROR, helping) > 3 * ERROR
