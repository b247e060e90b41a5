"""A sequential test of paired success rates that may be looked at after every case.

For the null hypothesis "the new prompt is no better", the paired difference d_t = new - old in [-1, 1] has a mean of at
most 0 given all earlier ones. Wealth starts at 1 and is multiplied by 1 + b d_t for a fixed bet 0 < b < 1. It stays
positive, as 1 + b d_t >= 1 - b > 0. It is not expected to grow, as E[1 + b d_t] = 1 + b E[d_t] <= 1. So it is a
non-negative supermartingale, and so is any mixture of bets. Nothing but the bounds and the mean of d_t is used. So it
may be -1, 0 or 1, where each case is run once. Or it is the difference of two shares of passed runs, where each case is
run as often as was fixed beforehand. By Ville's inequality (1939) the chance that the wealth ever reaches 1 / a is at
most a, whenever one stops. Testing by betting: Shafer (2021). The bet on a bounded mean is the capital process of
Waudby-Smith and Ramdas, "Estimating means of bounded random variables by betting" (2024). It is moved from [0, 1] with
mean 1/2 to [-1, 1] with mean 0. Mixing small and large bets keeps power for small and for large improvements.

Repeats take the noise of a single run out of d_t, so that the same gain is proven with fewer cases. They do not take
out how cases differ among each other: at the same number of runs, fresh cases beat repeats wherever there are some.
"""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

BETS = ((0.2, 0.1), (0.35, 0.2), (0.5, 0.3), (0.65, 0.15), (0.8, 0.15), (0.95, 0.1))
"""Fraction of the wealth that is bet on each difference, and the mixture's weight for it. Bets below 0.2 pay only over
more cases than a task has."""
FUTILE = 0.1
"""Wealth below which a test is given up as inconclusive; stopping early never raises the error."""

LARGEST = 700.0
"""Logarithm of the wealth from which on no more is told: it has proven anything long before, and stays a number."""


@dataclass
class PairedTest:
    """Evidence that the new prompt is better, and that it is worse, over the pairs seen so far."""

    wins: int = 0
    losses: int = 0
    n: int = 0
    differences: Counter[float] = field(default_factory=Counter)
    """How often each difference was seen."""

    def add(self, old: float, new: float) -> None:
        """Take one more case into account: passed or not, or the shares of its runs that passed, all in [0, 1]."""
        difference = float(new) - float(old)
        self.n += 1
        self.wins += difference > 0
        self.losses += difference < 0
        self.differences[difference] += 1

    @property
    def better(self) -> float:
        """E-value against "no better"."""
        return wealth_over(self.differences)

    @property
    def worse(self) -> float:
        """E-value against "no worse"."""
        return wealth_over({-difference: count for difference, count in self.differences.items()})

    def best_possible(self, left: int) -> float:
        """The e-value against "no better" if `left` further cases were all won outright."""
        return wealth_over(self.differences + Counter({1.0: left}))


def wealth(wins: int, losses: int) -> float:
    """The mixture's wealth after that many differences of 1 and of -1; ties leave it as it is."""
    return wealth_over({1.0: wins, -1.0: losses})


def wealth_over(differences: Mapping[float, int]) -> float:
    """The mixture's wealth after differences in [-1, 1], each seen that many times; their order does not matter."""
    return sum(weight * _growth(bet, differences) for bet, weight in BETS)


def _growth(bet: float, differences: Mapping[float, int]) -> float:
    """What one bet makes of 1; in logarithms, as thousands of factors leave the range of a float."""
    exponent = math.fsum(count * math.log1p(bet * size) for size, count in differences.items())
    return math.exp(min(exponent, LARGEST))


def wilson(passed: float, n: int, z: float = 1.959964) -> tuple[float, float]:
    """The 95 % interval of a success rate; Wilson (1927). (0, 1) for no cases."""
    if n == 0:
        return 0.0, 1.0
    rate, square = passed / n, z * z
    centre = (rate + square / (2 * n)) / (1 + square / n)
    half = z * math.sqrt(rate * (1 - rate) / n + square / (4 * n * n)) / (1 + square / n)
    return max(0.0, centre - half), min(1.0, centre + half)
