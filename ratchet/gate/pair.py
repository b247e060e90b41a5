"""A held-out case under both prompts, and what its runs say."""

from collections.abc import Iterable
from statistics import fmean
from typing import NamedTuple

from ratchet.engine import Scored
from ratchet.records import CaseDifference, CriterionResult
from ratchet.tasks import Case

Runs = tuple[Scored, ...]
"""The runs of one case under one prompt, one for each repeat."""


class Rates(NamedTuple):
    """Shares of a case's runs that pass, 0 to 1."""

    old: float
    new: float


class Pair(NamedTuple):
    """A held-out case under the old and the new prompt, run equally often under either."""

    case: Case
    old: Runs
    new: Runs

    @property
    def rates(self) -> Rates:
        """What the test compares. A missing result counts against the change: an undecided new run as failed, an
        undecided old run as passed. Of a repeat that neither side could be scored on, neither passes."""
        results = [(old.evaluation.passed, new.evaluation.passed) for old, new in zip(self.old, self.new, strict=True)]
        return Rates(
            fmean(old is not False and (old, new) != (None, None) for old, new in results),
            fmean(new is True for _, new in results),
        )

    @property
    def won(self) -> bool:
        """Whether more of its runs pass than before, undecided ones counted as in `rates`."""
        return self.rates.new > self.rates.old

    @property
    def lost(self) -> bool:
        """Whether fewer of its runs pass than before."""
        return passes(self.new) < passes(self.old)

    def criterion(self, name: str) -> Rates | None:
        """How often one criterion passes, over the repeats in which either side has a result for it; None where there
        is none. A missing result counts as in `rates`."""
        sides = zip(self.old, self.new, strict=True)
        results = [(old.evaluation.of(name), new.evaluation.of(name)) for old, new in sides]
        scored = [(old, new) for old, new in results if _has_score(old) or _has_score(new)]
        if not scored:
            return None
        return Rates(
            fmean(old is None or old.passed is not False for old, _ in scored),
            fmean(new is not None and new.passed is True for _, new in scored),
        )

    def difference(self) -> CaseDifference:
        """The case as a reviewer sees it: an output of each side that shows how it was won or lost."""
        return CaseDifference(
            case_id=self.case.id,
            input=self.case.input,
            expected=self.case.expected,
            before=_representative_output(self.old, passed=not self.won),
            after=_representative_output(self.new, passed=self.won),
            before_rate=passes(self.old) / len(self.old),
            after_rate=passes(self.new) / len(self.new),
        )


def passes(runs: Runs) -> int:
    """How many of the runs passed."""
    return sum(run.evaluation.passed is True for run in runs)


def _representative_output(runs: Runs, *, passed: bool) -> str:
    return next((run.output for run in runs if (run.evaluation.passed is True) is passed), runs[0].output)


def criterion_names(pairs: Iterable[Pair]) -> list[str]:
    """Names of the criteria that the old runs have results for."""
    return list(dict.fromkeys(result.name for pair in pairs for run in pair.old for result in run.evaluation.criteria))


def _has_score(result: CriterionResult | None) -> bool:
    return result is not None and result.passed is not None
