"""The domain of Ratchet: tasks, models, evaluation, triage, proposals, the gate and the ledger."""

__all__ = ["__version__"]

__version__ = "0.1.0"
