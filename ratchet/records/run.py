"""A run of the agent: its trace, its evaluation, and all that is kept of one that failed."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from ratchet.counting import quantity
from ratchet.prompting import TaskPrompt
from ratchet.tasks import Expected

Outcome = Literal["passed", "failed", "error", "skipped"]
Ending = Literal["answer", "cut_off", "refused", "filtered", "tool_call"]
"""How a model's reply ended; only ``answer`` is a whole one."""
ENDINGS: dict[Ending, str] = {
    "cut_off": "cut off at max_tokens",
    "refused": "the model refused to answer",
    "filtered": "withheld by the endpoint's content filter",
    "tool_call": "a tool call instead of an answer",
}
"""What is said of a reply that is no whole answer."""


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
    grade: float | None = None
    """What race and gate compare where a criterion is graded: the score, 0 where a run must not pass whatever its
    score. None where no criterion is graded, or where one could not be evaluated."""

    @property
    def worth(self) -> float:
        """How good the run is, from 0 to 1: its grade, or 1 for a pass."""
        return float(self.passed is True) if self.grade is None else self.grade

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
    ending: Ending = "answer"
    """How the model's reply ended."""

    @property
    def problem(self) -> str | None:
        """What is wrong with a model's reply that is no whole answer."""
        return None if self.ending == "answer" else f"reply of {self.component}: {ENDINGS[self.ending]}"


class AgentRun(Record):
    """An agent's output and how it came about."""

    output: str
    trace: list[Step]
    seconds: float = 0.0

    @property
    def ending(self) -> Ending:
        """How its replies ended: as the last one that was no whole answer, where there is one."""
        return next((step.ending for step in reversed(self.trace) if step.ending != "answer"), "answer")

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
        calls = quantity(self.calls, "model call")
        return f"{calls}{of_roles}, {quantity(self.input_tokens, 'token')} in and {self.output_tokens:,} out"


def describe_failures(failures: list[FailureBundle], limit: int = 3) -> str:
    """The first failures as text for a model: input, output, what was wrong."""
    return "\n\n".join(
        f"Input: {failure.input[:400]}\nOutput: {failure.output[:400]}\n"
        f"Wrong: {'; '.join(failure.evaluation.problems)[:300]}"
        for failure in failures[:limit]
    )
