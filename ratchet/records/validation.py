"""What the gate measured of a proposal on held-out cases."""

from typing import Literal

from ratchet.records.run import Record
from ratchet.tasks import Expected

Verdict = Literal["better", "worse", "inconclusive"]
GateVerdict = Literal["better", "worse", "inconclusive", "vetoed"]
"""How a test at the gate counts: what is vetoed is not proven, however much better it is."""


class CaseDifference(Record):
    """A case on which old and new prompt differ."""

    case_id: str
    input: str
    expected: Expected
    before: str
    after: str
    """An output of either; of several runs one that shows how the case was won or lost."""
    before_rate: float | None = None
    after_rate: float | None = None
    """Shares of its runs that passed."""


class Repeats(Record):
    """How often each held-out case is run under either prompt; decided before the first of them is."""

    count: int = 1
    why: str = ""

    @property
    def line(self) -> str:
        """It as a reviewer reads it; empty where nothing is to be said."""
        if self.count == 1:
            return f"each case was run once, {self.why}" if self.why else ""
        return f"each case was run {self.count} times, {self.why}; it is won where its mean rises"


class Measure(Record):
    """A success rate over `n` cases with its 95 % Wilson interval."""

    passed: int | float
    """Cases passed; where each was run several times, the sum of their own rates."""
    n: int
    rate: float
    low: float
    high: float


class CriterionMeasure(Record):
    """One criterion before and after."""

    before: float
    after: float
    n: int


class Cost(Record):
    """What a prompt costs per case."""

    tokens: float
    """Mean of the tokens read and written."""
    seconds: float | None
    """Median of the seconds; None where too few were measured."""


class RuleViolation(Record):
    """An output under the new prompt that breaks a pinned rule."""

    rule: str
    """``rule:NUMBER``, the number counted from 1 in the rules file."""
    text: str
    """The rule's own words."""
    where: str
    """``probe``, or the id of a held-out case."""
    input: str
    output: str
    """The beginning of the output; empty where there was none."""
    why: str
    already_broken: bool
    """Whether the prompt in force breaks the same rule on the same input."""


class Validation(Record):
    """The gate's findings on a proposal."""

    verdict: Verdict
    proven: bool
    e_value: float
    needed: float
    level: float
    before: Measure
    after: Measure
    criteria: dict[str, CriterionMeasure]
    wins: list[CaseDifference]
    losses: list[CaseDifference]
    vetoes: list[str]
    fixed: int
    triggering: int
    missing: int | None = None
    """How many further cases won would have proven an inconclusive change; None where it would take many more."""
    reason: str
    repeats: Repeats = Repeats()
    rule_violations: list[RuleViolation] = []
    cost_before: Cost | None = None
    cost_after: Cost | None = None
    production: int = 0
    """How many of the cases came from production, not from the task."""
    rules_hash: str = ""
    """Hash of the pinned rules that it was measured under; empty in findings of earlier releases."""
    criteria_hash: str = ""
    """Hash of the criteria and the threshold that it was measured by; empty likewise."""

    @property
    def gate_verdict(self) -> GateVerdict:
        """The verdict, or that vetoes speak against it."""
        return "vetoed" if self.verdict == "better" and not self.proven else self.verdict
