"""The JSON documents in the tables' rows.

A record of `ratchet.records` that is kept whole is a `Dump`, unless single keys of it are read.
"""

from typing import Any, Literal, NotRequired, TypedDict

from ratchet.records import Outcome
from ratchet.store.statuses import AnswerKind
from ratchet.tasks import Expected

Dump = dict[str, Any]
"""A record as `model_dump(mode="json")` gives it; the key's name is the record's."""


class CriterionDocument(TypedDict):
    """A `ratchet.records.CriterionResult`."""

    name: str
    outcome: Outcome
    passed: bool | None
    score: float | None
    comment: str


class EvaluationDocument(TypedDict):
    """A `ratchet.records.Evaluation`."""

    criteria: list[CriterionDocument]
    score: float | None
    passed: bool | None
    problems: list[str]
    grade: NotRequired[float | None]


class ProblemDocument(TypedDict):
    """A `ratchet.engine.Problem`."""

    fault: Literal["request", "source"]
    message: str


class RunDocument(TypedDict):
    """All that is kept of a run."""

    input: str
    expected: Expected
    source: str | None
    """Who it came from; None where nobody said so."""
    thread_id: str | None
    version: int
    rules_hash: str
    model: str
    prompts: dict[str, Any]
    """The task's components as they stand in the prompts file."""
    output: str
    problem: ProblemDocument | None
    """Why there is no output; None where there is one."""
    trace: list[Dump]
    """`ratchet.records.Step`s."""
    seconds: float
    evaluation: EvaluationDocument | None
    """None until it is scored."""


class BundleDocument(TypedDict):
    """A `ratchet.records.FailureBundle`."""

    id: str
    run_id: str
    task: str
    component: str
    input: str
    output: str
    expected: Expected
    evaluation: EvaluationDocument
    prompts: dict[str, Any]
    version: int
    rules_hash: str
    model: str
    trace: list[Dump]
    source: str
    thread_id: str | None
    created_at: str


class RoleDocument(TypedDict):
    """How the model of a role answered in a cycle: requests with a usable reply, requests without, the last error."""

    answered: int
    failed: int
    error: str


class EntrantsDocument(TypedDict):
    """What the proposers of a cycle came up with last."""

    round: int
    """How many times a proposal was asked for in the cycle."""
    feedback: str
    """What a person asked of them: feedback on a rejected proposal, else a hint."""
    candidates: list[Dump]
    """`ratchet.records.Candidate`s that will race."""
    refused: list[Dump]
    """`ratchet.records.CandidateResult`s of the candidates that the guards refused."""


class CycleDocument(TypedDict, total=False):
    """What a cycle has found so far."""

    failures: list[str]
    """Ids of those that it looks at."""
    owner: str
    """The process at work, see `ratchet.cycles.owner`; "" where none is."""
    hint: str
    """What a person would try."""
    message: str
    """How it ended, in a sentence."""
    diagnosis: Dump | None
    roles: dict[str, RoleDocument]
    """By name, those that were asked."""
    entrants: EntrantsDocument
    repeats: Dump
    proposal: Dump | None
    validation: Dump | None
    candidates: list[Dump]
    """`ratchet.records.CandidateResult`s, where no proposal has them."""
    decision: Dump
    version: int
    """The version that was made."""


class DecisionDocument(TypedDict):
    """A `ratchet.records.Decision`, with when it was taken and the hash of the change that the reviewer saw."""

    type: Literal["approve", "edit", "reject"]
    reviewer: str
    reason: str
    feedback: str
    prompt: dict[str, Any] | None
    at: str
    change_hash: str


class ProposalDocument(TypedDict):
    """A proposed prompt."""

    base_hash: str
    """The prompt it was made from."""
    prompt: dict[str, Any]
    proposal: NotRequired[Dump]
    """Of one that met the gate: all of it,"""
    validation: NotRequired[Dump]
    """the finding,"""
    decision: NotRequired[DecisionDocument]
    """and the one decision on it, once it is taken."""


class VersionNumbers(TypedDict, total=False):
    """What was measured of a version, or which one it brought back."""

    before: float
    """Held-out success before the change."""
    after: float
    cases: int
    won: int
    lost: int
    e_value: float
    rolled_back_to: int
    rolled_back_from: int
    """The version that was active then."""


class ReviewAnswer(TypedDict, total=False):
    """A person's answer to an item of the review queue."""

    answer: AnswerKind
    reviewer: str
    reason: str
    at: str
    expected: Expected
    failure: str
    """``correct``: the failure that was meant,"""
    failures: list[str]
    """all that were corrected by it,"""
    case: str
    """and the id of the training case."""
    hint: str
    """``retry``: what to try."""
    proposal: str
    """``force``: the id of the proposal."""


class ReviewDocument(TypedDict, total=False):
    """What was found out before a person was asked."""

    message: str
    diagnosis: Dump | None
    proposal: Dump | None
    validation: Dump | None
    refused: list[Dump]
    """`ratchet.records.CandidateResult`s of what the guards refused."""
    proposed: list[Dump]
    """`ratchet.records.Candidate`s."""
    answers: list[ReviewAnswer]
    """Oldest first."""
