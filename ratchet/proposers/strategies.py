"""The strategies by the cause that they are for, and asking them."""

from collections.abc import Sequence
from dataclasses import replace

from ratchet.concurrency import gather
from ratchet.config.settings import Settings
from ratchet.errors import ModelReplyError
from ratchet.proposers.examples import Examples
from ratchet.proposers.gepa import Gepa
from ratchet.proposers.guards import refusal
from ratchet.proposers.memory import Memory, fingerprint_of
from ratchet.proposers.minimal_edit import MinimalEdit
from ratchet.proposers.proposer import Proposed, Proposer, Refused, Situation
from ratchet.proposers.requirements import Requirements
from ratchet.proposers.retrieval import Retrieval
from ratchet.proposers.rewrite import Rewrite
from ratchet.proposers.solved_cases import SimilarSolvedCases
from ratchet.records import Candidate

WORDING: tuple[Proposer, ...] = (Requirements(), SimilarSolvedCases(), Examples(), Rewrite(), MinimalEdit())
"""The strategies for failures whose cause is the prompt."""
CONTEXT: tuple[Proposer, ...] = (Retrieval(),)
"""The strategies for failures whose cause is missing context."""


def wording_strategies(settings: Settings) -> tuple[Proposer, ...]:
    """`WORDING`, and the `gepa` library where calls are set aside for it."""
    return (*WORDING, Gepa(settings.gepa_calls)) if settings.gepa_calls else WORDING


async def propose(proposers: Sequence[Proposer], situation: Situation, memory: Memory | None = None) -> Proposed:
    """Candidates of all proposers, guarded and without repetitions, nor anything that `memory` objects to."""
    found = await gather(_ask(proposer, situation) for proposer in proposers)
    accepted: dict[str, Candidate] = {}
    refused: list[Refused] = []
    for candidate in (candidate for candidates in found for candidate in candidates):
        fingerprint = fingerprint_of(situation.component, candidate)
        if fingerprint in accepted:
            continue
        reason = _refusal(situation, candidate)
        if reason is None and memory:
            reason = memory.objection(situation.component, candidate)
        if reason is None:
            accepted[fingerprint] = candidate
        else:
            refused.append(Refused(candidate, reason))
    return Proposed(list(accepted.values()), refused)


async def _ask(proposer: Proposer, situation: Situation) -> list[Candidate]:
    """What a proposer has to say; nothing where its model did not answer in form."""
    try:
        return await proposer.propose(situation)
    except ModelReplyError:
        return []


def _refusal(situation: Situation, candidate: Candidate) -> str | None:
    """The guards' reason, measured against what the candidate was made from and against the prompt in force."""
    if situation.base and candidate.prompt == situation.base:
        return "is the same as the best candidate so far, which it was to change"
    reason = refusal(situation, candidate.prompt)
    return reason if reason or not situation.base else refusal(replace(situation, base=None), candidate.prompt)
