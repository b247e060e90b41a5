import math
import random
from collections.abc import Callable, Sequence
from functools import cache
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.gate import PairedTest, error_level, wilson
from ratchet.gate.eprocess import MOST_BET, Wealth, further_wins
from ratchet.search.evidence import wealth

FIRST = 1 / error_level(1, 0)
"""The e-value that the first test of a task needs."""

rates = st.sampled_from([0.0, 1 / 3, 0.5, 2 / 3, 1.0])
pairs = st.lists(st.tuples(rates, rates), max_size=60)
differences = st.lists(st.floats(-1, 1), max_size=40)
plans = st.tuples(st.integers(1, 60) | st.just(90), st.sampled_from([1.0, 2.0, 5.0, 20.0, FIRST, 400.0]))
"""Planned cases, and the e-value that is needed."""

Differing = list[tuple[float, float]]
"""A difference with its chance, for all that may come next."""


def after(results: Sequence[tuple[float, float]], cases: int = 60, needed: float = 20.0) -> PairedTest:
    test = PairedTest(cases, better=needed, worse=needed)
    for old, new in results:
        test.add(old, new)
    return test


def wealth_of(steps: Sequence[float], cases: int, needed: float) -> Wealth:
    found = Wealth(cases, needed)
    for step in steps:
        found.add(step)
    return found


@given(differences, plans)
def test_bet_is_a_part_of_the_wealth_whatever_was_seen(steps: list[float], plan: tuple[int, float]) -> None:
    found = wealth_of(steps, *plan)

    assert all(0 <= bet <= MOST_BET < 1 for bet in found.bets())
    assert found.now > 0


@given(pairs, plans)
def test_worse_is_better_with_old_and_new_exchanged(
    results: list[tuple[float, float]], plan: tuple[int, float]
) -> None:
    assert after(results, *plan).worse == after([(new, old) for old, new in results], *plan).better


def test_wealth_ignores_ties() -> None:
    assert after([(True, True), (False, False)] * 50, cases=100).better == 1.0


@given(st.lists(st.sampled_from([-1.0, 0.0, 1.0]), max_size=7), plans)
def test_wealth_stays_as_it_is_once_it_proves_the_change(steps: list[float], plan: tuple[int, float]) -> None:
    cases, needed = plan
    proven = wealth_of([1.0] * 60, cases, needed)
    reached = proven.now

    for step in steps:
        proven.add(step)

    assert proven.now == reached >= needed


def expected_wealth(n: int, law: Callable[[tuple[float, ...]], Differing], plan: tuple[int, float]) -> float:
    """The mean of the wealth after n differences, each drawn from what `law` makes of those before; all paths."""
    total = 0.0
    paths: list[tuple[tuple[float, ...], float]] = [((), 1.0)]
    for _ in range(n):
        paths = [((*path, step), chance * part) for path, chance in paths for step, part in law(path)]
    for path, chance in paths:
        total += chance * wealth_of(path, *plan).now
    return total


@pytest.mark.parametrize("plan", [(8, 20.0), (8, FIRST), (20, FIRST), (3, 5.0), (8, 1.0), (80, FIRST)])
@pytest.mark.parametrize("chances", [(0.5, 0.5), (0.2, 0.2), (0.1, 0.3), (0.0, 0.0), (0.5, 0.25)])
@pytest.mark.parametrize("n", [1, 2, 5, 8])
def test_wealth_is_expected_to_stay_at_most_one_when_the_change_is_no_better(
    n: int, chances: tuple[float, float], plan: tuple[int, float]
) -> None:
    """Also where the set is cut short, or is longer than planned."""
    win, loss = min(chances), max(chances)
    mean = expected_wealth(n, lambda _: [(1.0, win), (-1.0, loss), (0.0, 1 - win - loss)], plan)
    assert mean <= 1 + 1e-12
    if win == loss:
        assert mean == pytest.approx(1.0)


NULLS: list[Differing] = [
    [(1.0, 0.5), (-1.0, 0.5)],
    [(0.0, 1.0)],
    [(1 / 3, 0.75), (-1.0, 0.25)],
    [(1.0, 0.1), (-1 / 9, 0.9)],
    [(0.4, 0.5), (-0.6, 0.5)],
    [(1.0, 0.2), (0.0, 0.4), (-0.5, 0.4)],
]
"""Differences with a mean of at most 0, of which some are far from symmetric."""


@given(st.randoms(use_true_random=False), plans, st.integers(1, 6))
def test_what_came_before_may_change_all_but_the_mean(rng: random.Random, plan: tuple[int, float], n: int) -> None:
    @cache
    def law(path: tuple[float, ...]) -> Differing:
        return rng.choice(NULLS)  # type: ignore[return-value]  # of a cached function

    assert expected_wealth(n, lambda path: law(path), plan) <= 1 + 1e-9


@pytest.mark.parametrize("needed", [4.0, 20.0, FIRST])
@pytest.mark.parametrize(("cases", "tie"), [(4, 0.0), (8, 0.0), (12, 0.0), (4, 0.4), (8, 0.4), (8, 0.8)])
def test_chance_of_a_false_proof_is_at_most_the_level(cases: int, needed: float, tie: float) -> None:
    """Exact, over all paths. What proves the change once is kept, so that the end tells of every look."""
    fair = (1 - tie) / 2
    chance = sum(
        math.prod(tie if step == 0 else fair for step in path)
        for path in product((-1.0, 0.0, 1.0) if tie else (-1.0, 1.0), repeat=cases)
        if wealth_of(path, cases, needed).now >= needed
    )
    assert chance <= 1 / needed
    assert chance > 0 or 2**cases < needed


def share_proven(draw: Callable[[], float], cases: int, needed: float, tries: int) -> float:
    found = (wealth_of([draw() for _ in range(cases)], cases, needed).now >= needed for _ in range(tries))
    return sum(found) / tries


@pytest.mark.parametrize("differing", [0.2, 0.4, 0.75])
@pytest.mark.parametrize("cases", [20, 50])
def test_equal_prompts_are_proven_better_no_more_often_than_the_level_says(cases: int, differing: float) -> None:
    dice = random.Random(f"{cases} {differing}")

    def tossed() -> float:
        return dice.choice([1.0, -1.0]) if dice.random() < differing else 0.0

    assert share_proven(tossed, cases, 20.0, 1500) < 0.05 + 3 * math.sqrt(0.05 / 1500)


@pytest.mark.parametrize("law", NULLS)
def test_skewed_differences_without_gain_are_no_proof(law: Differing) -> None:
    """Where most cases gain a little and few lose all, signs would lie."""
    dice = random.Random(str(law))
    steps, chances = zip(*law, strict=True)
    drawn = share_proven(lambda: float(dice.choices(steps, chances)[0]), 30, 20.0, 1000)
    assert drawn < 0.05 + 3 * math.sqrt(0.05 / 1000)


def with_ties(wins: int, losses: int, cases: int, dice: random.Random) -> list[float]:
    steps = [1.0] * wins + [-1.0] * losses + [0.0] * (cases - wins - losses)
    dice.shuffle(steps)
    return steps


@pytest.mark.parametrize(
    ("wins", "losses", "cases", "share"),
    [(7, 0, 27, 0.95), (7, 0, 20, 0.97), (8, 0, 40, 0.97), (10, 1, 20, 0.7), (5, 0, 27, 0.0), (6, 4, 20, 0.0)],
)
def test_few_cases_prove_a_clear_gain_and_no_less(wins: int, losses: int, cases: int, share: float) -> None:
    dice = random.Random(wins)
    orders = [with_ties(wins, losses, cases, dice) for _ in range(200)]
    proven = sum(wealth_of(order, cases, FIRST).now >= FIRST for order in orders) / 200
    assert proven >= share
    assert (proven == 0) is (share == 0)


@pytest.mark.parametrize(
    ("cases", "differing", "gain", "at_least"),
    [(20, 0.75, 0.4, 0.34), (30, 0.4, 0.2, 0.21), (50, 0.4, 0.2, 0.42), (50, 0.2, 0.1, 0.15), (50, 0.2, 0.2, 0.87)],
)
def test_gain_is_proven_more_often_than_by_bets_that_know_no_end(
    cases: int, differing: float, gain: float, at_least: float
) -> None:
    dice = random.Random(cases)
    proven = by_fixed_bets = 0
    for _ in range(600):
        draws = [dice.random() for _ in range(cases)]
        steps = [1.0 if x < (differing + gain) / 2 else -1.0 if x < differing else 0.0 for x in draws]
        proven += wealth_of(steps, cases, FIRST).now >= FIRST
        by_fixed_bets += wealth(steps.count(1.0), steps.count(-1.0)) >= FIRST
    assert proven / 600 >= at_least
    assert proven > by_fixed_bets


@pytest.mark.parametrize(("cases", "wins"), [(100, 16), (300, 20), (1000, 24)])
def test_large_gain_is_proven_early_in_a_large_test(cases: int, wins: int) -> None:
    assert wealth_of([1.0] * wins, cases, FIRST).now >= FIRST


def test_smaller_differences_are_smaller_evidence() -> None:
    found = [after([pair] * 10, needed=1e6).better for pair in ((1 / 3, 2 / 3), (0, 2 / 3), (0, 1))]
    assert 1 < found[0] < found[1] < found[2]


@pytest.mark.parametrize("cases", [1100, 5000, 20_000])
def test_wealth_over_thousands_of_cases_is_a_number(cases: int) -> None:
    undecided = after([(0, 1), (1, 0)] * 6, cases)

    assert math.isfinite(undecided.best_possible(cases))
    assert undecided.best_possible(cases) > 1e300
    lost = wealth_of([-1.0] * cases, cases, 20.0)
    assert lost.now < 1e-9
    assert all(map(math.isfinite, lost.bets()))
    assert after([(1, 0)] * cases, cases).best_possible(1) < 1e-9


@given(pairs, rates, rates, plans)
def test_wealth_rises_with_a_case_won_and_falls_with_one_lost(
    results: list[tuple[float, float]], old: float, new: float, plan: tuple[int, float]
) -> None:
    before, then = after(results, *plan), after([*results, (old, new)], *plan)
    if before.better > 1 and before.better >= plan[1]:
        assert then.better == before.better
    else:
        assert (then.better > before.better, then.better < before.better) == (new > old, new < old)


@given(st.lists(st.tuples(rates, rates).filter(lambda pair: pair[1] <= pair[0]), max_size=60), plans)
def test_change_that_wins_nothing_never_gains_wealth(
    results: list[tuple[float, float]], plan: tuple[int, float]
) -> None:
    assert after(results, *plan).better <= 1
    assert after(results, *plan).worse >= 1


@given(pairs, st.integers(0, 40), plans)
def test_no_way_to_go_on_beats_what_is_possible_at_best(
    results: list[tuple[float, float]], left: int, plan: tuple[int, float]
) -> None:
    so_far, rest = results[left:], results[:left]

    assert after([*so_far, *rest], *plan).better <= after(so_far, *plan).best_possible(len(rest)) * (1 + 1e-9)


@given(st.lists(st.sampled_from([-1.0, -0.5, 0.0, 0.5, 1.0]), min_size=1, max_size=30), st.integers(0, 20))
def test_as_many_further_wins_as_said_prove_it_and_fewer_do_not(steps: list[float], most: int) -> None:
    cases = len(steps)
    found = further_wins(steps, cases, FIRST, most)

    proofs = [more for more in range(1, most + 1) if wealth_of(steps + [1.0] * more, cases + more, FIRST).now >= FIRST]
    assert found == (proofs[0] if proofs else None)


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
