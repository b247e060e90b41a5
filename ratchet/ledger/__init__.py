"""The ledger: versions of prompts, and the audit log of who changed what and why."""

from ratchet.ledger.audit import Audit
from ratchet.ledger.drift import drift
from ratchet.ledger.versions import Active, Change, Versions

__all__ = ["Active", "Audit", "Change", "Versions", "drift"]
