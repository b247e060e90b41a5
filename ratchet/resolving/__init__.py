"""The review queue's answers, and production runs that people approve as cases."""

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
    "resolve_item",
    "approve_case",
    "find_item",
    "remove_case",
]
