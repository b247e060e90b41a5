"""Old against new, case by case: the verdict, the per-criterion comparison and the vetoes."""

from collections.abc import Sequence
from statistics import fmean

from ratchet.counting import quantity
from ratchet.gate.eprocess import FUTILE, PairedTest, further_wins, wilson
from ratchet.gate.pair import Pair, Runs, criterion_names, passes
from ratchet.records import CriterionMeasure, Measure, Validation, Verdict

TOLERANCE = 0.02
"""A criterion may lose this share of the cases before it counts as regressed."""
WORSE_LEVEL = 0.05
LEAST_CASES = 12
"""The gate looks at no fewer cases than this (or all there are), so that every criterion is seen."""
MOST_MISSING = 50
"""Cases that are missing for a proof are counted up to so many, and no more than the test had."""


def measure(passed: int | float, n: int) -> Measure:
    """A success rate with its interval; `passed` is the sum of the cases' own rates where each was run several times.

    The interval is by case, as repeats of one case are not independent. The rate of a case varies by no more than a
    single pass or fail of the same mean. So the interval is then wider than it had to be.
    """
    low, high = wilson(passed, n)
    return Measure(passed=passed, n=n, rate=passed / n if n else 0.0, low=low, high=high)


class Comparison:
    """Collects pairs and says when enough is known. The order of the `cases` is settled before, and so is their number.

    Where each case was run several times, the test sees the difference of its two success rates. All that is reported
    is then a mean over cases of means over runs. A missing result counts against the change, see `Pair.rates`.
    """

    def __init__(self, level: float, cases: int) -> None:
        self.level, self.cases = level, cases
        self.pairs: list[Pair] = []
        self.test = PairedTest(cases, better=self.needed, worse=1 / WORSE_LEVEL)

    def add(self, pairs: Sequence[Pair]) -> None:
        """Take more cases into account."""
        for pair in pairs:
            self.pairs.append(pair)
            self.test.add(*pair.rates)

    @property
    def needed(self) -> float:
        """The e-value that proves the change."""
        return 1 / self.level

    def verdict(self) -> Verdict:
        """What the pairs seen so far say."""
        if self.test.wins and self.test.better >= self.needed:
            return "better"
        if self.test.worse >= 1 / WORSE_LEVEL:
            return "worse"
        return "inconclusive"

    def is_settled(self, left: int) -> bool:
        """Whether the `left` cases that remain are not worth their cost.

        A better change with a regressed criterion goes on, as it may recover; one that could not be proven even by
        winning all that is left does not.
        """
        if len(self.pairs) < LEAST_CASES:
            return False
        verdict = self.verdict()
        if verdict == "better":
            return not self.regressions()
        return verdict == "worse" or self.test.better <= FUTILE or self._out_of_reach(left)

    def _out_of_reach(self, left: int) -> bool:
        return self.test.best_possible(left) < self.needed

    @property
    def _graded(self) -> bool:
        """Whether grades are compared: they may rise where no failure passes yet."""
        return any(run.evaluation.grade is not None for pair in self.pairs for run in (*pair.old, *pair.new))

    def missing(self) -> int | None:
        """How many further cases won outright would have proven an inconclusive change; None where that is no question,
        or where it would take many more."""
        differences = [pair.rates.new - pair.rates.old for pair in self.pairs]
        if self.verdict() != "inconclusive" or sum(differences) <= 0:
            return None
        return further_wins(differences, self.cases, self.needed, min(MOST_MISSING, len(self.pairs)))

    def criteria(self) -> dict[str, CriterionMeasure]:
        """Each criterion's success rate before and after, over the cases in which either side has a result for it."""
        measures = {}
        for name in criterion_names(self.pairs):
            rates = [found for pair in self.pairs if (found := pair.criterion(name))]
            if rates:
                before, after = fmean(found.old for found in rates), fmean(found.new for found in rates)
                measures[name] = CriterionMeasure(before=before, after=after, n=len(rates))
        return measures

    def regressions(self) -> list[str]:
        """One line per criterion that lost more than the tolerance."""
        return [
            f"criterion {name!r} falls from {found.before:.0%} to {found.after:.0%}"
            for name, found in self.criteria().items()
            if found.after < found.before - TOLERANCE - 1e-9
        ]

    def result(self, *, fixed: int, triggering: int, vetoes: Sequence[str] = ()) -> Validation:
        """The finding, all vetoes included."""
        verdict = self.verdict()
        all_vetoes = [*vetoes, *self.regressions()]
        if triggering and not fixed and not self._graded:
            all_vetoes.append("none of the triggering failures is fixed")
        proven, missing = verdict == "better" and not all_vetoes, self.missing()
        return Validation(
            verdict=verdict,
            proven=proven,
            e_value=self.test.better,
            needed=self.needed,
            level=self.level,
            before=_success([pair.old for pair in self.pairs]),
            after=_success([pair.new for pair in self.pairs]),
            criteria=self.criteria(),
            wins=[pair.difference() for pair in self.pairs if pair.won],
            losses=[pair.difference() for pair in self.pairs if pair.lost],
            vetoes=all_vetoes,
            fixed=fixed,
            triggering=triggering,
            missing=missing,
            reason=self._reason(verdict, all_vetoes, missing),
        )

    def _reason(self, verdict: Verdict, vetoes: Sequence[str], missing: int | None) -> str:
        if vetoes:
            return f"{verdict}, but vetoed: " + "; ".join(vetoes)
        if not self.pairs:
            return "there is no held-out case to prove anything on"
        counts = f"{quantity(self.test.wins, 'case')} won and {self.test.losses} lost of {len(self.pairs)}"
        unscored = sum(any(run.evaluation.passed is None for run in pair.new) for pair in self.pairs)
        said = f"; {unscored} could not be scored" if unscored else ""
        more = f"; {quantity(missing, 'more case')} won would prove it" if missing else ""
        return f"{counts}{said}; evidence {self.test.better:.3g}, needed {self.needed:.3g}{more}"


def no_proof(reason: str, *, triggering: int) -> Validation:
    """The finding where no test could be made; never better."""
    return (
        Comparison(1.0, 0)
        .result(fixed=0, triggering=triggering)
        .model_copy(update={"verdict": "inconclusive", "proven": False, "reason": reason, "vetoes": [reason]})
    )


def _success(cases: Sequence[Runs]) -> Measure:
    passed = sum(passes(runs) for runs in cases)
    repeats = len(cases[0]) if cases else 1
    return measure(passed / repeats if passed % repeats else passed // repeats, len(cases))
