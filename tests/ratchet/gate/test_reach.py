"""What so many held-out cases can prove."""

import pytest

from ratchet.gate import Comparison, PairedTest, error_level
from ratchet.gate.reach import is_in_reach, reach, wins_needed


@pytest.mark.parametrize("cases", [27, 50, 120])
@pytest.mark.parametrize("number", [1, 2, 5, 20])
def test_wins_needed_is_where_the_gates_own_test_says_better(cases: int, number: int) -> None:
    level = error_level(number, 0)
    wins = wins_needed(cases, level)
    assert wins is not None

    def verdict(won: int) -> str:
        comparison = Comparison(level, cases)
        test = comparison.test = PairedTest(cases, better=1 / level, worse=20)
        spread = [0.0] * (cases - won)
        for place in range(won):
            spread.insert(round((place + 0.5) * cases / won), 1.0)
        for difference in spread:
            test.add(0, difference)
        return comparison.verdict()

    assert verdict(wins + 2) == "better"
    assert verdict(wins - 2) != "better"


@pytest.mark.parametrize("cases", [10, 20, 40, 100, 300])
def test_a_lost_case_has_to_be_made_good(cases: int) -> None:
    level = error_level(1, 0)
    without, with_one = wins_needed(cases, level), wins_needed(cases, level, 1)
    assert without is not None
    assert with_one is not None
    assert without < with_one


def test_later_tests_need_more() -> None:
    needed = [wins_needed(40, error_level(number, 0)) or 0 for number in (1, 2, 5, 20, 50)]
    assert needed == sorted(needed)
    assert needed[0] < needed[-1]


def test_too_few_cases_are_said_to_prove_nothing() -> None:
    level = error_level(1, 0)
    assert [is_in_reach(cases, level) for cases in (0, 1, 5, 6)] == [False, False, False, True]
    assert reach(5, level) == "no change can be proven on 5 held-out cases, however good; add some"


def test_smallest_gain_shrinks_with_the_number_of_cases() -> None:
    level = error_level(1, 0)
    assert reach(20, level).endswith("about 6 won and none lost, or 9 won and 1 lost: gains from 30% up")
    assert reach(60, level).endswith("gains from 10% up")
    assert "1 lost" not in reach(8, level)
