"""The gate: a change goes on to approval only when held-out cases prove that it helps and harms nothing."""

from ratchet.gate.bounds import costs, exceeded
from ratchet.gate.compare import LEAST_CASES, Comparison, measure, unproven
from ratchet.gate.control import level
from ratchet.gate.eprocess import PairedTest, wilson
from ratchet.gate.pair import Pair, Runs
from ratchet.gate.prove import prove
from ratchet.gate.rule_suite import Observed, observed, rule_vetoes, violations

__all__ = [
    "LEAST_CASES",
    "Comparison",
    "Observed",
    "Pair",
    "PairedTest",
    "Runs",
    "costs",
    "exceeded",
    "level",
    "measure",
    "observed",
    "prove",
    "rule_vetoes",
    "unproven",
    "violations",
    "wilson",
]
