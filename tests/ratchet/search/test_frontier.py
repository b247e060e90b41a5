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


@given(st.lists(st.frozensets(st.sampled_from("abcdef"))))
def test_every_pair_completes_each_other_and_every_win_is_on_the_frontier(wins: Wins) -> None:
    for pair in complementary(wins):
        assert wins[pair.better] - wins[pair.other]
        assert wins[pair.other] - wins[pair.better]
    everything = frozenset().union(*wins)
    assert frozenset().union(*(wins[place] for place in frontier(wins))) == everything
