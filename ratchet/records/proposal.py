"""Candidates, the proposal that one of them became, and a reviewer's decision on it."""

from typing import Literal

from ratchet.prompting import TaskPrompt
from ratchet.records.run import Record


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
    round: int = 1
    """How many proposals the cycle has made with this one; each rejection with feedback leads to another."""


class Decision(Record):
    """A reviewer's answer."""

    type: Literal["approve", "edit", "reject"]
    reviewer: str = "unknown"
    reason: str = ""
    feedback: str = ""
    prompt: TaskPrompt | None = None
    """With ``edit``: the prompt as the reviewer wants it."""
