"""Triage: which of prompt, context or model capability made a group of runs fail."""

from ratchet.triage.cause import triage_failure
from ratchet.triage.diagnose import diagnose_failures

__all__ = ["diagnose_failures", "triage_failure"]
