"""Watching a change after it went live, and taking it back when live traffic says that it is worse.

The hypothesis is that the runs under the new version pass at least as often as the held-out cases passed under the old
one. It is bet against after every scored run. Wealth that starts at 1 is multiplied by 1 + b (p - x) for a pass rate p
before, a result x in {0, 1} and a bet b. It reaches 1 / a with a chance of at most a while the hypothesis holds (Ville
1939), however often one looks.
"""

import logging
import math
from typing import NamedTuple

from ratchet.engine import Engine, Workbench
from ratchet.errors import ConfigurationError, StaleBaseError

log = logging.getLogger(__name__)
ERROR = 0.05
"""Chance of taking back a change that is not worse."""
BETS = (0.25, 0.5, 1.0)
"""Bets that are mixed in equal parts."""


class LiveResults(NamedTuple):
    """Scored runs of live traffic, counted."""

    passed: int
    failed: int


def evidence_of_harm(before: float, results: LiveResults) -> float:
    """E-value against "at least as good as `before`", a pass rate in [0, 1]. The order of results has no part in it."""
    return sum(_wealth(before, bet, results) for bet in BETS) / len(BETS)


def _wealth(before: float, bet: float, results: LiveResults) -> float:
    """(1 + b (p - 1)) ** passed * (1 + b p) ** failed by logarithms: either power alone may be no float any more."""
    loss, gain = 1 + bet * (before - 1), 1 + bet * before
    if results.passed and loss <= 0:
        return 0.0
    logarithm = (results.passed and results.passed * math.log(loss)) + results.failed * math.log(gain)
    try:
        return math.exp(logarithm)
    except OverflowError:
        return math.inf


async def roll_back_if_worse(engine: Engine, bench: Workbench) -> str | None:
    """Take the active version back if its live results prove it worse; says so, None where it stays.

    Only a version that came from a proposal is watched: what a person wrote is theirs to judge.
    """
    active = await engine.versions.of_number(bench.task.name, bench.version)
    if active is None or active["status"] != "active" or "before" not in active["numbers"]:
        return None
    before = float(active["numbers"]["before"])
    results = await _live_results(engine, bench)
    found = evidence_of_harm(before, results)
    if found < 1 / ERROR:
        return None
    ratio = f"{results.passed} of {sum(results)}"
    reason = f"live runs pass {ratio}, before the change {before:.0%} passed (evidence {found:.3g})"
    try:
        row = await engine.versions.rollback(bench.task, active["base_number"], "watch", reason, bench.version)
    except StaleBaseError:
        return None  # somebody was faster
    except ConfigurationError as error:
        log.warning("%s: version %d should be rolled back and cannot be: %s", bench.task.name, bench.version, error)
        return None
    message = f"version {bench.version} was rolled back, version {row['number']} is active: {reason}"
    log.warning("%s: %s", bench.task.name, message)
    return message


async def _live_results(engine: Engine, bench: Workbench) -> LiveResults:
    """Results of live traffic under the active version; the task's own cases do not count."""
    tallies = await engine.store.runs.tallies(bench.task.name, bench.version)
    live = [tally for tally in tallies if not bench.is_training_case(tally.source, tally.input)]
    passed = sum(tally.runs for tally in live if tally.passed)
    return LiveResults(passed, sum(tally.runs for tally in live) - passed)
