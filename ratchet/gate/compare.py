"""Old against new, case by case: the verdict, the per-criterion comparison and the vetoes."""

from collections.abc import Sequence
from typing import NamedTuple

from ratchet.gate.eprocess import FUTILE, PairedTest, wealth, wilson
from ratchet.records import CaseDifference, CriterionMeasure, Evaluation, Measure, Validation, Verdict
from ratchet.tasks import Case

TOLERANCE = 0.02
"""A criterion may lose this share of the cases before it counts as regressed."""
WORSE_LEVEL = 0.05
LEAST_CASES = 12
"""The gate looks at no fewer cases than this (or all there are), so that every criterion is seen."""


class Scored(NamedTuple):
    """An output with its evaluation."""

    output: str
    evaluation: Evaluation
    tokens: int
    seconds: float | None
    """None where they were not measured now."""


class Pair(NamedTuple):
    """A held-out case under the old and the new prompt."""

    case: Case
    old: Scored
    new: Scored


def measure(passed: int, n: int) -> Measure:
    """A success rate with its interval."""
    low, high = wilson(passed, n)
    return Measure(passed=passed, n=n, rate=passed / n if n else 0.0, low=low, high=high)


class Comparison:
    """Collects pairs and says when enough is known.

    A missing result counts against the change: an undecided new run as failed, an undecided old run as passed. A case
    that neither side could be scored on says nothing.
    """

    def __init__(self, level: float) -> None:
        self.level = level
        self.pairs: list[Pair] = []
        self.test = PairedTest()

    def add(self, pairs: Sequence[Pair]) -> None:
        """Take more cases into account."""
        for pair in pairs:
            self.pairs.append(pair)
            old, new = pair.old.evaluation.passed, pair.new.evaluation.passed
            self.test.add(old is not False and (old, new) != (None, None), new is True)

    @property
    def needed(self) -> float:
        """The e-value that proves the change."""
        return 1 / self.level

    def verdict(self) -> Verdict:
        """What the pairs seen so far say."""
        if self.pairs and self.test.better >= self.needed:
            return "better"
        if self.test.worse >= 1 / WORSE_LEVEL:
            return "worse"
        return "inconclusive"

    def settled(self, left: int) -> bool:
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
        return wealth(self.test.wins + left, self.test.losses) < self.needed

    def criteria(self) -> dict[str, CriterionMeasure]:
        """Each criterion's success rate before and after, over the cases in which either side has a result for it."""
        names = dict.fromkeys(result.name for pair in self.pairs for result in pair.old.evaluation.criteria)
        measures = {}
        for name in names:
            results = [(pair.old.evaluation.of(name), pair.new.evaluation.of(name)) for pair in self.pairs]
            scored = [(old, new) for old, new in results if _scored(old) or _scored(new)]
            if scored:
                before = sum(old is None or old.passed is not False for old, _ in scored) / len(scored)
                after = sum(new is not None and new.passed is True for _, new in scored) / len(scored)
                measures[name] = CriterionMeasure(before=before, after=after, n=len(scored))
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
        if triggering and not fixed:
            all_vetoes.append("none of the triggering failures is fixed")
        old = sum(pair.old.evaluation.passed is True for pair in self.pairs)
        new = sum(pair.new.evaluation.passed is True for pair in self.pairs)
        proven = verdict == "better" and not all_vetoes
        return Validation(
            verdict=verdict,
            proven=proven,
            e_value=self.test.better,
            needed=self.needed,
            level=self.level,
            before=measure(old, len(self.pairs)),
            after=measure(new, len(self.pairs)),
            criteria=self.criteria(),
            wins=[_difference(pair) for pair in self.pairs if _won(pair)],
            losses=[_difference(pair) for pair in self.pairs if _lost(pair)],
            vetoes=all_vetoes,
            fixed=fixed,
            triggering=triggering,
            reason=self._reason(verdict, all_vetoes),
        )

    def _reason(self, verdict: Verdict, vetoes: Sequence[str]) -> str:
        if vetoes:
            return f"{verdict}, but vetoed: " + "; ".join(vetoes)
        if not self.pairs:
            return "there is no held-out case to prove anything on"
        counts = f"{self.test.wins} cases won and {self.test.losses} lost of {len(self.pairs)}"
        unscored = sum(pair.new.evaluation.passed is None for pair in self.pairs)
        said = f"; {unscored} could not be scored" if unscored else ""
        return f"{counts}{said}; evidence {self.test.better:.3g}, needed {self.needed:.3g}"


def unproven(reason: str, *, triggering: int) -> Validation:
    """The finding where no test could be made; never better."""
    return (
        Comparison(1.0)
        .result(fixed=0, triggering=triggering)
        .model_copy(update={"verdict": "inconclusive", "proven": False, "reason": reason, "vetoes": [reason]})
    )


def _scored(result: object) -> bool:
    return getattr(result, "passed", None) is not None


def _won(pair: Pair) -> bool:
    return pair.new.evaluation.passed is True and pair.old.evaluation.passed is False


def _lost(pair: Pair) -> bool:
    return pair.new.evaluation.passed is not True and pair.old.evaluation.passed is True


def _difference(pair: Pair) -> CaseDifference:
    return CaseDifference(
        case_id=pair.case.id,
        input=pair.case.input,
        expected=pair.case.expected,
        before=pair.old.output,
        after=pair.new.output,
    )
