"""The seam for strategies that propose a changed prompt."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from ratchet.engine import Harness, Workbench
from ratchet.prompting import TaskPrompt
from ratchet.records import Candidate, CandidateResult, Diagnosis, FailureBundle


@dataclass(frozen=True)
class Situation:
    """What a proposer may look at, and what it may ask: models, by `harness`, which can also try a prompt.

    Held-out cases are no part of it, whatever it is made from: `bench` keeps its training cases only, and `harness`
    has neither the database nor the settings of an engine.
    """

    harness: Harness
    bench: Workbench
    component: str
    diagnosis: Diagnosis
    failures: Sequence[FailureBundle]
    feedback: str = ""
    """What a reviewer asked for when rejecting an earlier proposal, else the hint that the cycle was started with."""
    base: TaskPrompt | None = None
    """In a further round: the best candidate so far. `failures` are then what still fails under it."""
    parents: Sequence[Candidate] = ()
    """Two candidates that complete each other, the better one first; for those who merge."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "harness", Harness(self.harness.models))
        object.__setattr__(self, "bench", self.bench.for_training())

    @property
    def prompt(self) -> TaskPrompt:
        """The component's prompt to start from: the best so far, or the one in force."""
        return self.base or self.in_force

    @property
    def in_force(self) -> TaskPrompt:
        """The component's prompt in force."""
        return self.bench.prompts[self.component]

    @property
    def failed(self) -> list[str]:
        """Names of the criteria that failed."""
        return sorted({name for failure in self.failures for name in failure.evaluation.failed})


class Refused(NamedTuple):
    """A candidate and why it is not tried."""

    candidate: Candidate
    reason: str

    @property
    def result(self) -> CandidateResult:
        """It as the reviewer sees it."""
        return CandidateResult(
            strategy=self.candidate.strategy, rationale=self.candidate.rationale, status="refused", reason=self.reason
        )


class Proposed(NamedTuple):
    """What the proposers came up with."""

    candidates: list[Candidate]
    refused: list[Refused]


class Proposer(Protocol):
    """A strategy, asked once in each round of a search, at the same time as the others.

    - Given: a `Situation`. Each candidate has to differ from `situation.prompt`, the best so far in a further round;
      one that does not is refused. `situation.in_force` is the same in all rounds.
    - Returned: any number of candidates, best first, each with the proposer's name as its `strategy`. The guards refuse
      some, with a reason that the reviewer sees; the race chooses among the others.
    - Never mutated: anything of the situation. A changed prompt is a copy, as `situation.prompt.model_copy` makes it.
    - Data: no idea is an empty list, and so is a model that does not answer in form.
    - Raised: `ModelUnavailableError`, `BudgetError` and `ConfigurationError` end the step. What else a proposer of the
      user's raises is logged, and costs its candidates only.
    """

    name: str
    """What its candidates are called in reports."""

    async def propose(self, situation: Situation) -> list[Candidate]:
        """Candidates for the situation."""
