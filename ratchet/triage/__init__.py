"""Triage: which of prompt, context or model capability made a group of runs fail."""

from ratchet.triage.cause import triage_failure
from ratchet.triage.diagnose import diagnose_failures, spread
from ratchet.triage.grouping import FailureGroup, group_key, groups

__all__ = ["FailureGroup", "diagnose_failures", "group_key", "groups", "spread", "triage_failure"]
