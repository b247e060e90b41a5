import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.search.frontier import complementary, frontier

Wins = list[frozenset[str]]


def wins(*texts: str) -> Wins:
    return [frozenset(text) for text in texts]


@pytest.mark.parametrize(
    ("given_wins", "expected"),
    [
        (wins("abc", "ab", "d"), [0, 2]),
        (wins("ab", "ab", "c"), [0, 2]),
        (wins("", ""), []),
        (wins("a", "ab", "abc"), [2]),
        (wins(), []),
    ],
)
def test_frontier_keeps_those_that_nobody_makes_superfluous(given_wins: Wins, expected: list[int]) -> None:
    assert frontier(given_wins) == expected


def test_complementary_pairs_win_most_together_first() -> None:
    assert complementary(wins("ab", "ac", "de")) == [(0, 2), (1, 2), (0, 1)]
    assert complementary(wins("abc", "ab")) == []


some_wins = st.lists(st.frozensets(st.sampled_from("abcdef")))


@given(some_wins)
def test_nobody_wins_all_that_a_member_of_the_frontier_wins_and_more(wins: Wins) -> None:
    for place in frontier(wins):
        assert wins[place]
        assert not any(wins[place] < other for other in wins)


@given(some_wins)
def test_whoever_is_not_on_the_frontier_is_made_superfluous_by_one_that_is(wins: Wins) -> None:
    members = frontier(wins)

    for place, own in enumerate(wins):
        assert place in members or any(own <= wins[member] for member in members) or not own


@given(some_wins)
def test_frontier_wins_all_that_anybody_wins_and_none_of_it_is_there_twice(wins: Wins) -> None:
    members = [wins[place] for place in frontier(wins)]

    assert frozenset().union(*members) == frozenset().union(*wins)
    assert len(set(members)) == len(members)


@given(some_wins)
def test_pairs_are_all_of_the_frontier_and_each_completes_the_other(wins: Wins) -> None:
    members = frontier(wins)

    pairs = complementary(wins)

    assert {(pair.better, pair.other) for pair in pairs} == set(itertools.combinations(members, 2))
    for pair in pairs:
        assert wins[pair.better] - wins[pair.other]
        assert wins[pair.other] - wins[pair.better]
    together = [len(wins[pair.better] | wins[pair.other]) for pair in pairs]
    assert together == sorted(together, reverse=True)
