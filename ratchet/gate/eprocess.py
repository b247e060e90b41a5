"""A sequential test of paired pass/fail results that may be looked at after every case.

For the null hypothesis "the new prompt is no better", the paired difference d_t = new - old in {-1, 0, 1} has a mean of
at most 0. Wealth that starts at 1 and is multiplied by 1 + b d_t for a fixed bet 0 < b < 1 is then a non-negative
supermartingale, and so is any mixture of bets. By Ville's inequality (1939) the chance that it ever reaches 1 / a is at
most a, whenever one stops. Testing by betting: Shafer (2021); Waudby-Smith and Ramdas, "Estimating means of bounded
random variables by betting" (2024). Mixing small and large bets keeps power for small and for large improvements.
"""

import math
from dataclasses import dataclass, field

BETS = ((0.2, 0.1), (0.35, 0.2), (0.5, 0.3), (0.65, 0.15), (0.8, 0.15), (0.95, 0.1))
"""Fraction of the wealth that is bet on each difference, and the mixture's weight for it. Bets below 0.2 pay only over
more cases than a task has."""
FUTILE = 0.1
"""Wealth below which a test is given up as inconclusive; stopping early never raises the error."""


@dataclass
class PairedTest:
    """Evidence that the new prompt is better, and that it is worse, over the pairs seen so far."""

    wins: int = 0
    losses: int = 0
    n: int = 0
    differences: list[int] = field(default_factory=list)

    def add(self, old: bool, new: bool) -> None:
        """Take one more case into account."""
        difference = int(new) - int(old)
        self.n += 1
        self.wins += difference > 0
        self.losses += difference < 0
        self.differences.append(difference)

    @property
    def better(self) -> float:
        """E-value against "no better"."""
        return wealth(self.wins, self.losses)

    @property
    def worse(self) -> float:
        """E-value against "no worse"."""
        return wealth(self.losses, self.wins)


def wealth(wins: int, losses: int) -> float:
    """The mixture's wealth after that many wins and losses; ties leave it as it is, and the order does not matter."""
    return sum(weight * (1 + bet) ** wins * (1 - bet) ** losses for bet, weight in BETS)


def wilson(passed: int, n: int, z: float = 1.959964) -> tuple[float, float]:
    """The 95 % interval of a success rate; Wilson (1927). (0, 1) for no cases."""
    if n == 0:
        return 0.0, 1.0
    rate, square = passed / n, z * z
    centre = (rate + square / (2 * n)) / (1 + square / n)
    half = z * math.sqrt(rate * (1 - rate) / n + square / (4 * n * n)) / (1 + square / n)
    return max(0.0, centre - half), min(1.0, centre + half)
