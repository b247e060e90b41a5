"""What triage found: attempts on single failures, the cause of each, and the diagnosis of a group."""

from typing import Any, Literal

from ratchet.records.run import Ending, Record

Category = Literal["prompt", "context", "capability", "unstable", "cut_off", "refused", "filtered", "tool_call"]
"""The last four are endings: the model's replies were no whole answers, whatever was tried."""

REPEAT = "repeat"
"""Name of the experiment that changes nothing."""


class Fetched(Record):
    """A document that a run was given."""

    source: str
    text: str


class Attempt(Record):
    """One experiment on one failed run. `passed` is None where it could not be made, with the error."""

    treatment: str
    component: str
    output: str
    passed: bool | None
    calls: int
    """Model calls of the agent, reused ones included."""
    fetched: list[Fetched] = []
    error: str | None = None
    ending: Ending = "answer"
    """How the replies of the run ended; another than ``answer`` where one of them was no whole answer."""


class FailureCause(Record):
    """What experiments found for one failure."""

    failure: str
    category: Category
    component: str
    """The component whose changed prompt made the run pass; the one that wrote the output where none did."""
    treatment: str | None
    """What made the run pass."""
    source: str | None
    """The context source that held what was missing."""
    missing: str
    """The text that was missing, around the answer."""
    calls: int
    """Model calls of the agent in all attempts, reused ones included."""
    attempts: list[Attempt]


class Experiment(Record):
    """One treatment tried on failed runs: how many pass under it, and every output."""

    treatment: str
    passed: int
    total: int
    outputs: list[dict[str, Any]] = []

    @property
    def rate(self) -> float:
        """Share of the failed runs that pass under the treatment."""
        return self.passed / self.total if self.total else 0.0


class Opinion(Record):
    """The analyst model's view; kept beside the evidence, never above it."""

    category: str | None
    missing: str = ""
    explanation: str = ""
    error: str | None = None


class Diagnosis(Record):
    """The cause of a group of failures."""

    category: Category
    component: str
    failures: list[str]
    explanation: str
    missing: str = ""
    source: str | None = None
    """The context source that held what was missing."""
    problems: list[str] = []
    evidence: list[Experiment] = []
    causes: dict[str, Category] = {}
    """What was found for each failure of the sample."""
    opinion: Opinion | None = None
    agreement: bool | None = None
    """Whether the analyst named the same category; None where it gave none."""
