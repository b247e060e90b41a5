"""The gate: a change goes on to approval only when held-out cases prove that it helps and harms nothing."""

from ratchet.gate.compare import Comparison, Pair, Scored, measure, unproven
from ratchet.gate.control import level
from ratchet.gate.eprocess import PairedTest, wilson

__all__ = ["Comparison", "Pair", "PairedTest", "Scored", "level", "measure", "unproven", "wilson"]
