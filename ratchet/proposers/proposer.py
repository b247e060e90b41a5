"""The seam for strategies that propose a changed prompt."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from ratchet.engine import Engine, Workbench
from ratchet.prompting import TaskPrompt
from ratchet.records import Candidate, CandidateResult, Diagnosis, FailureBundle


@dataclass(frozen=True)
class Situation:
    """What a proposer may look at. Held-out cases are not part of it: `bench` is used for its training cases only."""

    engine: Engine
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
    """A strategy. It returns any number of candidates, none where it has no idea, and changes nothing.

    A model that does not answer in form gives no candidate; an endpoint that is down, a used-up budget and a wrong
    configuration are raised.
    """

    name: str

    async def propose(self, situation: Situation) -> list[Candidate]:
        """Candidates for the situation."""
