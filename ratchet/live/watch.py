"""Watching a change after it went live, and taking it back when live traffic says that it is worse.

The hypothesis is that the runs under the new version pass at least as often as the held-out cases passed under the old
one. It is bet against after every scored run. Wealth that starts at 1 is multiplied by 1 + b (p - x) for a pass rate p
before, a result x in {0, 1} and a bet b. It reaches 1 / a with a chance of at most a while the hypothesis holds (Ville
1939), however often one looks.
"""

import logging
from collections.abc import Sequence

from ratchet.engine import Engine, Workbench
from ratchet.errors import StaleBaseError

log = logging.getLogger(__name__)
ERROR = 0.05
"""Chance of taking back a change that is not worse."""
BETS = (0.25, 0.5, 1.0)
"""Bets that are mixed in equal parts."""


def evidence_of_harm(before: float, outcomes: Sequence[bool]) -> float:
    """E-value against "at least as good as `before`", a pass rate in [0, 1], after the given results."""
    wealth = [1.0] * len(BETS)
    for passed in outcomes:
        wealth = [value * (1 + bet * (before - passed)) for value, bet in zip(wealth, BETS, strict=True)]
    return sum(wealth) / len(BETS)


async def roll_back_if_worse(engine: Engine, bench: Workbench) -> str | None:
    """Take the active version back if its live results prove it worse; says so, None where it stays.

    Only a version that came from a proposal is watched: what a person wrote is theirs to judge.
    """
    history = await engine.versions.history(bench.task.name)
    active = next((row for row in history if row["number"] == bench.version), None)
    if active is None or active["status"] != "active" or "before" not in active["numbers"]:
        return None
    before = float(active["numbers"]["before"])
    outcomes = await _live_outcomes(engine, bench)
    found = evidence_of_harm(before, outcomes)
    if found < 1 / ERROR:
        return None
    passed = sum(outcomes)
    reason = f"live runs pass {passed} of {len(outcomes)}, before the change {before:.0%} passed (evidence {found:.3g})"
    try:
        row = await engine.versions.rollback(bench.task, active["base_number"], "watch", reason, bench.version)
    except StaleBaseError:
        return None  # somebody was faster
    message = f"version {bench.version} was rolled back, version {row['number']} is active: {reason}"
    log.warning("%s: %s", bench.task.name, message)
    return message


async def _live_outcomes(engine: Engine, bench: Workbench) -> list[bool]:
    """Pass or fail of live traffic under the active version, oldest first; the task's own cases do not count."""
    runs = await engine.store.runs.outcomes(bench.task.name, bench.version)
    return [run.passed for run in runs if not bench.is_training_case(run.source, run.input)]
