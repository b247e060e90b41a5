"""A sequential test of paired success rates that may be looked at after every case.

For the null hypothesis "the new prompt is no better", the paired difference d_t = new - old in [-1, 1] has a mean of at
most 0 given all earlier ones. Wealth starts at 1 and is multiplied by 1 + b_t d_t, where the bet 0 <= b_t < 1 is chosen
before d_t is seen. It stays positive, as 1 + b_t d_t >= 1 - b_t > 0. It is not expected to grow, as
E[1 + b_t d_t | earlier] = 1 + b_t E[d_t | earlier] <= 1. So it is a non-negative supermartingale, whatever the bets
are. By Ville's inequality (1939) the chance that it ever reaches 1 / a is at most a, whenever one stops. Testing by
betting: Shafer (2021); on bounded means: Waudby-Smith and Ramdas, "Estimating means of bounded random variables by
betting" (2024).

Nothing but the bounds and the mean of d_t is used. So it may be -1, 0 or 1, where each case is run once. Or it is the
difference of two shares of passed runs or of two graded scores. The set may be cut short, and how many cases differ
may be anything: that changes how much is proven, never how often too much is.

The bets use that the number of cases is known beforehand. A z-test at the last case rejects, given what was seen, with
a chance of u = F(z) under the null. Here F is the normal distribution function with density f. With v for the variance
that is still to come, that chance moves by f(z) / sqrt(v) for a case won. A wealth that is to follow it bets
f(z) / (u sqrt(v)). Bets that recalculate how far the target is: Voracek and Orabona, "STaR-Bets" (2025).

Repeats take the noise of a single run out of d_t, so that the same gain is proven with fewer cases. They do not take
out how cases differ among each other: at the same number of runs, fresh cases beat repeats wherever there are some.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import NormalDist

AIM = 1.75
"""The bets are made to reach so many times the wealth that is needed by the last case. So what is needed mostly comes
before it."""
SOON, SOON_SHARE = 30, 0.05
"""In a test of more than twice so many cases a part of the wealth is bet as if it ended after so many. So a large gain
is proven early there too."""
VARIANCE, VARIANCE_CASES = 0.3, 4
"""Mean squared difference that is expected before the first case, and how many cases that counts as."""
LEAST_VARIANCE = 0.25
"""Variance still to come that is reckoned with at least, that of the last case included."""
MOST_BET = 0.95
"""Fraction of the wealth that is bet at most."""
FUTILE = 0.05
"""Wealth below which a test is given up as inconclusive; stopping early never raises the error."""

_LARGEST = 700.0
"""Logarithm of the wealth from which on no more is told: it has proven anything long before, and stays a number."""
_LEAST_CHANCE = 1e-12
_NORMAL = NormalDist()


@dataclass
class _Stake:
    """A part of the wealth, bet with a view to so many cases."""

    cases: int
    now: float


class Wealth:
    """Wealth after the differences seen so far, of at most `cases`; it is kept once it is all that is `needed`."""

    def __init__(self, cases: int, needed: float) -> None:
        self._needed = needed
        self._seen, self._squares = 0, 0.0
        self._stakes = [_Stake(cases, 1.0)]
        if cases > 2 * SOON:
            self._stakes = [_Stake(SOON, SOON_SHARE), _Stake(cases, 1 - SOON_SHARE)]

    @property
    def now(self) -> float:
        """All of it; 1 at the start."""
        return sum(stake.now for stake in self._stakes)

    def bets(self) -> list[float]:
        """The fraction of each part of the wealth that is bet on the next difference."""
        now = self.now
        if now >= self._needed and now > 1:
            return [0.0] * len(self._stakes)
        return [self._bet(stake, AIM * self._needed - (now - stake.now)) for stake in self._stakes]

    def _bet(self, stake: _Stake, target: float) -> float:
        chance = max(_LEAST_CHANCE, min(stake.now / target, 1 / AIM))
        variance = (VARIANCE * VARIANCE_CASES + self._squares) / (VARIANCE_CASES + self._seen)
        to_come = max(variance * (stake.cases - self._seen), LEAST_VARIANCE)
        return min(MOST_BET, _NORMAL.pdf(_NORMAL.inv_cdf(chance)) / (chance * math.sqrt(to_come)))

    def add(self, difference: float) -> None:
        """Take one more difference in [-1, 1] into account."""
        for stake, bet in zip(self._stakes, self.bets(), strict=True):
            stake.now *= 1 + bet * difference
        self._seen += 1
        self._squares += difference**2


class PairedTest:
    """Evidence that the new prompt is better, and that it is worse, over the pairs seen so far, of at most `cases`.

    It depends on their order, which has to be settled before.
    """

    def __init__(self, cases: int, *, better: float, worse: float) -> None:
        """`better` and `worse` are the e-values that are needed."""
        self._better, self._worse = Wealth(cases, better), Wealth(cases, worse)
        self.wins = self.losses = self.n = 0

    def add(self, old: float, new: float) -> None:
        """Take one more case into account: passed or not, or two rates in [0, 1]."""
        difference = float(new) - float(old)
        self.n += 1
        self.wins += difference > 0
        self.losses += difference < 0
        self._better.add(difference)
        self._worse.add(-difference)

    @property
    def better(self) -> float:
        """E-value against "no better"."""
        return self._better.now

    @property
    def worse(self) -> float:
        """E-value against "no worse"."""
        return self._worse.now

    def best_possible(self, left: int) -> float:
        """What no `left` further cases can bring the e-value against "no better" above."""
        if not self.better:  # lost so often that it is no number any more
            return 0.0
        return math.exp(min(math.log(self.better) + left * math.log1p(MOST_BET), _LARGEST))


def further_wins(differences: Iterable[float], cases: int, needed: float, most: int) -> int | None:
    """How many more cases won outright after these `differences`, in a test planned for as many more, would prove the
    change; None where `most` are not enough."""
    seen = list(differences)
    for more in range(1, most + 1):
        wealth = Wealth(max(cases, len(seen) + more), needed)
        for difference in (*seen, *[1.0] * more):
            wealth.add(difference)
        if wealth.now >= needed:
            return more
    return None


def wilson(passed: float, n: int, z: float = 1.959964) -> tuple[float, float]:
    """The 95 % interval of a success rate; Wilson (1927). (0, 1) for no cases."""
    if n == 0:
        return 0.0, 1.0
    rate, square = passed / n, z * z
    centre = (rate + square / (2 * n)) / (1 + square / n)
    half = z * math.sqrt(rate * (1 - rate) / n + square / (4 * n * n)) / (1 + square / n)
    return max(0.0, centre - half), min(1.0, centre + half)
