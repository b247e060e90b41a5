"""Who wins where: candidates that nobody else makes superfluous, and pairs of them that complete each other."""

from collections.abc import Sequence
from typing import NamedTuple


class MergePair(NamedTuple):
    """Positions of two candidates of which each wins something that the other does not; the better one first."""

    better: int
    other: int


def frontier(wins: Sequence[frozenset[str]]) -> list[int]:
    """Positions of those that win something and are not beaten: nobody else wins all that they win and more.

    Of several that win exactly the same the first one stays.
    """
    return [
        place
        for place, own in enumerate(wins)
        if own and not any(own < other or (own == other and rival < place) for rival, other in enumerate(wins))
    ]


def complementary(wins: Sequence[frozenset[str]]) -> list[MergePair]:
    """Pairs of the frontier, those that win most together first, then in the order given (best first)."""
    places = frontier(wins)
    # Two members of a frontier never contain each other, so each of them wins something that the other does not.
    pairs = [MergePair(one, two) for n, one in enumerate(places) for two in places[n + 1 :]]
    return sorted(pairs, key=lambda pair: -len(wins[pair.better] | wins[pair.other]))
