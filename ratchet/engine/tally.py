"""What runs came to in three numbers: passed, failed, not scored. What was not scored is neither of the others."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from ratchet.counting import quantity
from ratchet.engine.trial import Scored

REASONS = 3
"""Reasons that are told, the most frequent first."""


class Tally(NamedTuple):
    """Runs, counted."""

    passed: int
    failed: int
    unscored: int

    @property
    def scored(self) -> int:
        """Those that a success rate is a share of."""
        return self.passed + self.failed


def tally(runs: Sequence[Scored]) -> Tally:
    """How the runs ended."""
    counts = Counter(run.evaluation.passed for run in runs)
    return Tally(counts[True], counts[False], counts[None])


def criterion_rates(names: Sequence[str], runs: Sequence[Scored]) -> dict[str, float | None]:
    """The share of passes of each criterion in the runs that it could decide, 0 to 1; None where there is none."""
    rates: dict[str, float | None] = {}
    for name in names:
        results = [result for run in runs if (result := run.evaluation.of(name)) and result.passed is not None]
        rates[name] = sum(result.passed is True for result in results) / len(results) if results else None
    return rates


def reasons_unscored(runs: Sequence[Scored]) -> list[str]:
    """Why runs were not scored, each reason with how many it kept from it."""
    undecided = [run.evaluation for run in runs if run.evaluation.passed is None]
    told = Counter(
        f"{result.name}: {result.comment or result.outcome}"
        for evaluation in undecided
        for result in evaluation.criteria
        if result.passed is None
    )
    told += Counter(problem for evaluation in undecided if not evaluation.criteria for problem in evaluation.problems)
    return [f"{reason} ({quantity(count, 'case')})" for reason, count in told.most_common(REASONS)]
