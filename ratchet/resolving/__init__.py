"""The review queue's answers, and production runs that people approve as cases."""

from ratchet.resolving.force import complete_all_forced
from ratchet.resolving.item import CycleRequest, ReviewItem, ReviewResult, find_item
from ratchet.resolving.new_case import ApprovedCase, CaseRequest, approve_case
from ratchet.resolving.remove_case import remove_case
from ratchet.resolving.resolve import resolve_item
from ratchet.store.statuses import AnswerKind

__all__ = [
    "AnswerKind",
    "ApprovedCase",
    "CaseRequest",
    "CycleRequest",
    "ReviewItem",
    "ReviewResult",
    "approve_case",
    "complete_all_forced",
    "find_item",
    "remove_case",
    "resolve_item",
]
