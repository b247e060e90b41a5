"""Strategies that propose changed prompts, and the guards on what they propose."""

from ratchet.proposers.guards import edit_refusal, refusal
from ratchet.proposers.memory import Memory, fingerprint_of, recall, remember
from ratchet.proposers.merge import Merge
from ratchet.proposers.own import own_proposers
from ratchet.proposers.proposer import Proposed, Proposer, Refused, Situation
from ratchet.proposers.strategies import CONTEXT, WORDING, propose, wording_strategies

__all__ = [
    "CONTEXT",
    "WORDING",
    "Memory",
    "Merge",
    "Proposed",
    "Proposer",
    "Refused",
    "Situation",
    "edit_refusal",
    "fingerprint_of",
    "own_proposers",
    "propose",
    "recall",
    "refusal",
    "remember",
    "wording_strategies",
]
