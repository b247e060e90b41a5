"""Evidence that one prompt is better than another, by the cases that it wins and loses against it.

Wealth starts at 1 and a fixed fraction of it is bet on each case, as in `ratchet.gate.eprocess`. A race does not know
how many cases it will meet, so several fractions are mixed. Small and large gains are both found then.
"""

import math

BETS = ((0.2, 0.1), (0.35, 0.2), (0.5, 0.3), (0.65, 0.15), (0.8, 0.15), (0.95, 0.1))
"""Fraction of the wealth that is bet on each case, and the mixture's weight for it. Bets below 0.2 pay only over more
cases than a task has."""
LARGEST = 700.0
"""Logarithm of the wealth from which on no more is told: it has proven anything long before, and stays a number."""


def wealth(wins: int, losses: int) -> float:
    """The mixture's wealth after that many cases won and lost; ties do not count, nor does the order."""
    return sum(weight * _growth(bet, wins, losses) for bet, weight in BETS)


def _growth(bet: float, wins: int, losses: int) -> float:
    """What one bet makes of 1; in logarithms, as thousands of factors leave the range of a float."""
    return math.exp(min(wins * math.log1p(bet) + losses * math.log1p(-bet), LARGEST))
