"""A candidate on its way through a race."""

from dataclasses import dataclass, field

from ratchet.engine import Scored
from ratchet.records import Candidate


@dataclass
class Entry:
    """A candidate with its runs so far, by input. `out` says why it left the race; empty while it is in it."""

    candidate: Candidate
    runs: dict[str, Scored] = field(default_factory=dict)
    out: str = ""

    @property
    def passed(self) -> int:
        """Runs that passed."""
        return sum(run.evaluation.passed is True for run in self.runs.values())

    @property
    def worth(self) -> float:
        """Sum of what its runs are worth: passes, or grades where a criterion is graded."""
        return round(sum(run.evaluation.worth for run in self.runs.values()), 6)

    @property
    def share(self) -> str:
        """How many of its runs passed, for a person."""
        return f"{self.passed} of {len(self.runs)}"

    @property
    def score(self) -> float:
        """Sum of the scores of all runs; rounded, so that the order of adding makes no difference."""
        return round(sum(run.evaluation.score or 0.0 for run in self.runs.values()), 6)

    @property
    def tokens(self) -> int:
        """Tokens of all runs."""
        return sum(run.tokens for run in self.runs.values())

    @property
    def wins(self) -> frozenset[str]:
        """What it gets right: every criterion of every input."""
        return frozenset(
            f"{result.name}: {text}"
            for text, run in self.runs.items()
            for result in run.evaluation.criteria
            if result.passed
        )

    def passes(self, text: str) -> bool:
        """Whether the run on this input passed."""
        return text in self.runs and self.runs[text].evaluation.passed is True

    def fails(self, text: str) -> bool:
        """Whether the run on this input failed; one that is undecided did not."""
        return text in self.runs and self.runs[text].evaluation.passed is False

    def wins_on(self, text: str, other: "Entry") -> bool:
        """Whether it passes where `other` fails, or has the better grade."""
        if self.runs[text].evaluation.grade is not None:
            return self.runs[text].evaluation.worth > other.runs[text].evaluation.worth
        return self.passes(text) and other.fails(text)

    def loses_on(self, text: str, other: "Entry") -> bool:
        """Whether it does not pass where `other` does, or has the lower grade."""
        return self.runs[text].evaluation.worth < other.runs[text].evaluation.worth

    def standing(self) -> tuple[float, float, int]:
        """For sorting, best first: most passes or the best grades, then the higher score, then fewer tokens."""
        return -self.worth, -self.score, self.tokens

    def ahead_of(self, other: "Entry") -> bool:
        """Whether it passes more than `other` (or has better grades) on the inputs that both have run, or as many with
        a higher score."""
        own, others = self.on(other.runs), other.on(self.runs)
        return (own.worth, own.score) > (others.worth, others.score)

    def on(self, inputs: "dict[str, Scored]") -> "Entry":
        """The same candidate with the runs on these inputs only."""
        return Entry(self.candidate, {text: run for text, run in self.runs.items() if text in inputs})

    def behind(self, other: "Entry") -> float:
        """By how many of the inputs that both have run it passes fewer than `other`, or by how much its grades are
        lower in sum."""
        return other.on(self.runs).worth - self.on(other.runs).worth
