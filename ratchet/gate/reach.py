"""What so many held-out cases can prove, by the gate's own arithmetic."""

from ratchet.counting import quantity
from ratchet.gate.eprocess import Wealth


def wins_needed(cases: int, level: float, losses: int = 0) -> int | None:
    """The fewest cases won that prove a change at an error level, None where no number of them does.

    So many of all `cases` are lost, and the others come out the same, all of them evenly spread.
    """
    for wins in range(1, cases - losses + 1):
        wealth = Wealth(cases, 1 / level)
        for difference in _spread(wins, losses, cases):
            wealth.add(difference)
        if wealth.now >= 1 / level:
            return wins
    return None


def _spread(wins: int, losses: int, cases: int) -> list[float]:
    """The differences of all cases in an order without runs of luck."""
    differing = _evenly([1.0] * wins, [-1.0] * losses)
    return _evenly(differing, [0.0] * (cases - len(differing)))


def _evenly(these: list[float], those: list[float]) -> list[float]:
    places = [((place + 0.5) / len(some), value) for some in (these, those) for place, value in enumerate(some)]
    return [value for _, value in sorted(places, key=lambda found: found[0])]


def reach(cases: int, level: float) -> str:
    """What a change has to win of so many held-out cases, in words."""
    least = wins_needed(cases, level)
    if least is None:
        return f"no change can be proven on {quantity(cases, 'held-out case')}, however good; add some"
    one_lost = wins_needed(cases, level, 1)
    or_so = f", or {one_lost} won and 1 lost" if one_lost is not None else ""
    return f"the next change is proven by about {least} won and none lost{or_so}: gains from {least / cases:.0%} up"


def is_in_reach(cases: int, level: float) -> bool:
    """Whether any change can be proven on so many held-out cases."""
    return wins_needed(cases, level) is not None
