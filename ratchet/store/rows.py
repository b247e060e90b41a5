"""The rows of the tables as Python sees them; a test holds the two together. Times are ISO 8601 in UTC."""

from typing import Any, Literal, TypedDict

from ratchet.records import Category, Ending, GateVerdict, Verdict
from ratchet.store.documents import (
    BundleDocument,
    CycleDocument,
    ProposalDocument,
    ReviewDocument,
    RunDocument,
    VersionNumbers,
)
from ratchet.store.statuses import CycleStatus, FailureStatus, ProposalStatus, ReviewKind, ReviewStatus, VersionStatus
from ratchet.tasks import Expected, Split

CycleGraph = Literal["agent", "improve"]
"""The graphs that run cycles."""


class RunRow(TypedDict):
    """A run that was served."""

    id: str
    task: str
    thread_id: str | None
    source: str
    """Who it came from; the run itself where nobody said so."""
    passed: int | None
    """1 or 0; None where the run could not be scored."""
    score: float | None
    version: int | None
    document: RunDocument
    created_at: str


class FailureRow(TypedDict):
    """A failed run."""

    id: str
    run_id: str
    task: str
    component: str
    """The one that wrote the output."""
    group_key: str
    status: FailureStatus
    cycle_id: str | None
    """The cycle that worked on it last."""
    source: str
    bundle: BundleDocument
    created_at: str


class CycleRow(TypedDict):
    """An improvement cycle."""

    id: str
    task: str
    component: str
    graph: CycleGraph
    thread_id: str
    status: CycleStatus
    category: Category | None
    """The cause; None before the diagnosis."""
    verdict: Verdict | None
    """The gate's; None before it."""
    document: CycleDocument
    beat_at: str
    """When it was last heard of."""
    created_at: str
    finished_at: str | None


class ReplyRow(TypedDict):
    """A model's reply."""

    key: str
    """Hash of the request, and of the measurement that asked where there was one."""
    request: str
    """Hash of the request."""
    role: str
    cycle_id: str | None
    text: str
    ending: Ending
    """How the reply ended."""
    input_tokens: int
    output_tokens: int
    seconds: float
    created_at: str


class VectorRow(TypedDict):
    """A text as a vector."""

    key: str
    """Hash of the model's name and the text."""
    vector: bytes
    """Little-endian 32-bit floats."""
    created_at: str


class NewProposal(TypedDict):
    """A proposal that is to be stored."""

    id: str
    cycle_id: str
    task: str
    component: str
    strategy: str
    fingerprint: str
    status: ProposalStatus
    reason: str | None
    document: ProposalDocument


class ProposalRow(NewProposal):
    """A proposal."""

    created_at: str


class FailedIdea(TypedDict):
    """As much of a proposal that failed as later ones need to know."""

    fingerprint: str
    status: ProposalStatus
    reason: str | None
    document: ProposalDocument


class GateTestRow(TypedDict):
    """A test on held-out cases."""

    test_id: str
    """The proposal's id."""
    task: str
    number: int
    """Its place among the task's tests, from 1."""
    level: float
    verdict: GateVerdict | None
    """None until it has ended."""


class NewGateCase(TypedDict):
    """A case that was chosen for a test."""

    case_id: str
    input: str
    expected: Expected
    run_id: str | None
    """The run that it comes from; None for a case of the task."""


class GateCaseRow(NewGateCase):
    """A case of a test."""

    test_id: str
    place: int
    """From 0."""
    task: str
    seen: int
    """1 where the finished test has looked at it."""


class VersionRow(TypedDict):
    """A version of a task's prompts."""

    task: str
    number: int
    """From 1."""
    status: VersionStatus
    hash: str
    base_number: int | None
    """The version it was made from."""
    proposal_id: str | None
    """The proposal or rollback that made it; None for what a person wrote into the file."""
    components: dict[str, Any]
    """The prompts by component, as they stand in the file."""
    file_text: str
    by: str
    reason: str
    numbers: VersionNumbers
    applied_at: str


class ReviewRow(TypedDict):
    """What waits for a person and is no approval."""

    id: str
    task: str
    cycle_id: str | None
    kind: ReviewKind
    status: ReviewStatus
    document: ReviewDocument
    created_at: str


class CaseRow(TypedDict):
    """A case that a person made of a production run, or of an input of their own."""

    task: str
    id: str
    input: str
    expected: Expected
    split: Split
    tags: list[str]
    origin: str | None
    """Id of a failure."""
    approved_by: str
    created_at: str


class AuditRow(TypedDict):
    """An action: who did what, and why."""

    seq: int
    at: str
    actor: str
    action: str
    task: str
    subject: str
    detail: dict[str, Any]
    """``reason``, and what else the action tells."""
    previous_hash: str
    hash: str
