"""Strategies that propose changed prompts, and the guards on what they propose."""

import asyncio
from collections.abc import Sequence
from typing import NamedTuple

from ratchet.prompting import content_hash
from ratchet.proposers.examples import Examples
from ratchet.proposers.guards import edit_refusal, refusal
from ratchet.proposers.proposer import Proposer, Situation
from ratchet.proposers.requirements import Requirements
from ratchet.proposers.retrieval import Retrieval
from ratchet.proposers.rewrite import MinimalEdit, Rewrite
from ratchet.proposers.solved_cases import SimilarSolvedCases
from ratchet.records import Candidate

WORDING: tuple[Proposer, ...] = (Requirements(), SimilarSolvedCases(), Examples(), Rewrite(), MinimalEdit())
"""The strategies for failures whose cause is the prompt."""
CONTEXT: tuple[Proposer, ...] = (Retrieval(),)
"""The strategies for failures whose cause is missing context."""


class Refused(NamedTuple):
    """A candidate and why it is not tried."""

    candidate: Candidate
    reason: str


class Proposed(NamedTuple):
    """What the proposers came up with."""

    candidates: list[Candidate]
    refused: list[Refused]


async def propose(proposers: Sequence[Proposer], situation: Situation, known: dict[str, str]) -> Proposed:
    """Candidates of all proposers, guarded and without repetitions; `known` maps fingerprints of ideas that failed
    before to the reason."""
    found = await asyncio.gather(*(proposer.propose(situation) for proposer in proposers))
    accepted: dict[str, Candidate] = {}
    refused: list[Refused] = []
    for candidate in (candidate for candidates in found for candidate in candidates):
        fingerprint = idea(situation.component, candidate)
        if fingerprint in accepted:
            continue
        reason = refusal(situation, candidate.prompt)
        if reason is None and fingerprint in known:
            reason = f"failed before: {known[fingerprint]}"
        if reason is None:
            accepted[fingerprint] = candidate
        else:
            refused.append(Refused(candidate, reason))
    return Proposed(list(accepted.values()), refused)


def idea(component: str, candidate: Candidate) -> str:
    """Fingerprint of what a candidate would make of a component."""
    return content_hash([component, candidate.prompt.as_json()])


__all__ = ["CONTEXT", "WORDING", "Proposed", "Proposer", "Refused", "Situation", "edit_refusal", "idea", "propose"]
