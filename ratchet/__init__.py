"""The domain of Ratchet: tasks, models, evaluation, triage, proposals, the gate and the ledger."""

__version__ = "0.1.0"
