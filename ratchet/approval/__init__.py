"""Approval: the request, the answers that are understood, and the policy that may answer in a person's stead."""

from ratchet.approval.answer import answer_schema, parse_answer
from ratchet.approval.policy import ApprovalPolicy, load_policy
from ratchet.approval.request import approval_request, diff

__all__ = ["ApprovalPolicy", "answer_schema", "approval_request", "diff", "load_policy", "parse_answer"]
