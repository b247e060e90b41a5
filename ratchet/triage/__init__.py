"""Triage: which of prompt, context or model capability made a group of runs fail."""

from ratchet.triage.assigning import assign
from ratchet.triage.cause import triage_failure
from ratchet.triage.diagnose import diagnose_failures, spread
from ratchet.triage.grouping import DayCount, FailureGroup, group_key, groups
from ratchet.triage.stored import current_groups, regroup

__all__ = [
    "DayCount",
    "FailureGroup",
    "assign",
    "current_groups",
    "diagnose_failures",
    "group_key",
    "groups",
    "regroup",
    "spread",
    "triage_failure",
]
