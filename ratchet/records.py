"""What is stored and passed between the steps of the loop. All of it is JSON-able by `model_dump(mode="json")`."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from ratchet.counting import counted
from ratchet.prompting import TaskPrompt
from ratchet.tasks import Expected

Category = Literal["prompt", "context", "capability", "unstable"]
Verdict = Literal["better", "worse", "inconclusive"]
Outcome = Literal["passed", "failed", "error", "skipped"]


class Record(BaseModel):
    """Base of all records: unknown keys are refused, so that a stored document of another shape is noticed."""

    model_config = ConfigDict(extra="forbid")


class CriterionResult(Record):
    """One criterion's result. `outcome` is ``error`` where it could not be evaluated and ``skipped`` where no expected
    output is known to compare with; neither counts as a pass."""

    name: str
    outcome: Outcome
    passed: bool | None
    score: float | None
    comment: str = ""


class Evaluation(Record):
    """A run's result. `passed` is None where criteria that decide it could not be evaluated."""

    criteria: list[CriterionResult]
    score: float | None
    passed: bool | None
    problems: list[str]

    def of(self, name: str) -> CriterionResult | None:
        """The result of one criterion."""
        return next((result for result in self.criteria if result.name == name), None)

    @property
    def failed(self) -> list[str]:
        """Names of the criteria that failed."""
        return [result.name for result in self.criteria if result.outcome == "failed"]


class Step(Record):
    """One step of a run's trace."""

    kind: Literal["model", "retrieval"]
    component: str
    input: Any
    output: Any
    seconds: float = 0.0
    input_tokens: int = 0
    output_tokens: int = 0
    reused: bool = False
    """Whether the model's reply was paid for earlier; its seconds are those of that time then."""


class AgentRun(Record):
    """An agent's output and how it came about."""

    output: str
    trace: list[Step]
    seconds: float = 0.0

    @property
    def tokens(self) -> int:
        """Tokens read and written by all model steps."""
        return sum(step.input_tokens + step.output_tokens for step in self.trace)

    @property
    def step_seconds(self) -> float | None:
        """Seconds that the steps took, waiting for a free slot left out; None where a reply was reused."""
        return None if any(step.reused for step in self.trace) else sum(step.seconds for step in self.trace)


class FailureBundle(Record):
    """All that is needed to learn from one failed run."""

    id: str
    run_id: str
    task: str
    component: str
    input: str
    output: str
    expected: Expected
    evaluation: Evaluation
    prompts: dict[str, TaskPrompt]
    version: int
    rules_hash: str
    model: str
    trace: list[Step]
    source: str
    thread_id: str | None
    created_at: str


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


class Candidate(Record):
    """A proposed prompt for one component."""

    strategy: str
    rationale: str
    prompt: TaskPrompt


class CandidateResult(Record):
    """How a candidate fared before the held-out cases, kept for the reviewer."""

    strategy: str
    rationale: str
    status: Literal["chosen", "lost", "refused", "not_tried"]
    reason: str = ""
    passed: int = 0
    total: int = 0
    round: int = 1
    """Of the search: further rounds start from the best candidate of the one before."""


class Proposal(Record):
    """The candidate that was put to the gate."""

    id: str
    cycle_id: str
    task: str
    component: str
    strategy: str
    rationale: str
    before: TaskPrompt
    after: TaskPrompt
    base_version: int
    change_hash: str
    candidates: list[CandidateResult] = []


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


class Spent(Record):
    """What a cycle has paid for; replies that were kept from earlier cost nothing."""

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    by_role: dict[str, int] = {}
    """Calls of each role."""

    @property
    def line(self) -> str:
        """All of it in a line."""
        roles = ", ".join(f"{role} {calls}" for role, calls in sorted(self.by_role.items()))
        of_roles = f" ({roles})" if roles else ""
        calls = counted(self.calls, "model call")
        return f"{calls}{of_roles}, {counted(self.input_tokens, 'token')} in and {self.output_tokens:,} out"


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
    reason: str
    repeats: Repeats = Repeats()
    rule_violations: list[RuleViolation] = []
    cost_before: Cost | None = None
    cost_after: Cost | None = None
    production: int = 0
    """How many of the cases came from production, not from the task."""


class Decision(Record):
    """A reviewer's answer."""

    type: Literal["approve", "edit", "reject"]
    reviewer: str = "unknown"
    reason: str = ""
    feedback: str = ""
    prompt: TaskPrompt | None = None
    """With ``edit``: the prompt as the reviewer wants it."""
