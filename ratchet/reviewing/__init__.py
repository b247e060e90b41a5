"""The review queue's answers, and production runs that people approve as cases."""

from ratchet.reviewing.answer_review import answer_review
from ratchet.reviewing.item import AnswerKind, ReviewItem, ReviewResult, find_item
from ratchet.reviewing.new_case import ApprovedCase, CaseRequest, approve_case
from ratchet.reviewing.remove_case import remove_case

__all__ = [
    "AnswerKind",
    "ApprovedCase",
    "CaseRequest",
    "ReviewItem",
    "ReviewResult",
    "answer_review",
    "approve_case",
    "find_item",
    "remove_case",
]
