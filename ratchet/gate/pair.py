"""A held-out case under both prompts, and what its runs say."""

from collections.abc import Iterable, Sequence
from statistics import fmean
from typing import NamedTuple

from ratchet.engine import Scored
from ratchet.records import CaseDifference, Evaluation
from ratchet.tasks import Case

Runs = tuple[Scored, ...]
"""The runs of one case under one prompt, one for each repeat."""


class Rates(NamedTuple):
    """Shares of a case's runs that pass, 0 to 1; where a criterion is graded, means of their grades."""

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
        return _means(list(zip(self._worth(self.old), self._worth(self.new), strict=True)))

    def _worth(self, runs: Runs) -> list[float | None]:
        """What each run is worth; None where that is missing. One that was refused has no criteria, and has failed."""
        graded = any(run.evaluation.grade is not None for run in (*self.old, *self.new))
        return [_grade(run.evaluation) if graded else _pass(run.evaluation) for run in runs]

    def _mean_worth(self, runs: Runs) -> float:
        return fmean(found or 0.0 for found in self._worth(runs))

    @property
    def won(self) -> bool:
        """Whether more of its runs pass than before, or its grade rises, undecided ones counted as in `rates`."""
        return self.rates.new > self.rates.old

    @property
    def lost(self) -> bool:
        """Whether fewer of its runs pass than before, or its grade falls."""
        return self._mean_worth(self.new) < self._mean_worth(self.old)

    def criterion(self, name: str) -> Rates | None:
        """How often one criterion passes, or its mean score where it is graded, over the repeats in which either side
        has a result for it; None where there is none. A missing result counts as in `rates`."""
        sides = zip(self.old, self.new, strict=True)
        results = [(_score(old, name), _score(new, name)) for old, new in sides]
        scored = [(old, new) for old, new in results if (old, new) != (None, None)]
        return _means(scored) if scored else None

    def difference(self) -> CaseDifference:
        """The case as a reviewer sees it: an output of each side that shows how it was won or lost."""
        return CaseDifference(
            case_id=self.case.id,
            input=self.case.input,
            expected=self.case.expected,
            before=_representative_output(self.old, best=not self.won),
            after=_representative_output(self.new, best=self.won),
            before_rate=self._mean_worth(self.old),
            after_rate=self._mean_worth(self.new),
        )


def passes(runs: Runs) -> int:
    """How many of the runs passed."""
    return sum(run.evaluation.passed is True for run in runs)


def _representative_output(runs: Runs, *, best: bool) -> str:
    """That of the best or of the worst run, of equal ones the first."""
    return (max if best else min)(runs, key=lambda run: run.evaluation.worth).output


def criterion_names(pairs: Iterable[Pair]) -> list[str]:
    """Names of the criteria that the old runs have results for."""
    return list(dict.fromkeys(result.name for pair in pairs for run in pair.old for result in run.evaluation.criteria))


def _grade(found: Evaluation) -> float | None:
    return found.grade if found.criteria else _pass(found)


def _pass(found: Evaluation) -> float | None:
    return None if found.passed is None else float(found.passed)


def _score(run: Scored, name: str) -> float | None:
    result = run.evaluation.of(name)
    if result is None or result.passed is None:
        return None
    return float(result.passed) if result.score is None else result.score


def _means(results: Sequence[tuple[float | None, float | None]]) -> Rates:
    """Of (old, new). What is missing counts against the change: the old one as 1, the new one as 0. Where both are
    missing both count as 0."""
    return Rates(
        fmean(old if old is not None else float(new is not None) for old, new in results),
        fmean(new if new is not None else 0.0 for _, new in results),
    )
