"""The gate: a change goes on to approval only when held-out cases prove that it helps and harms nothing."""

from ratchet.gate.bounds import costs, limit_vetoes
from ratchet.gate.compare import LEAST_CASES, Comparison, measure, no_proof
from ratchet.gate.control import error_level
from ratchet.gate.eprocess import PairedTest, wilson
from ratchet.gate.pair import Pair, Runs
from ratchet.gate.prove import prove
from ratchet.gate.rule_suite import Observed, observations, rule_vetoes, violations

__all__ = [
    "LEAST_CASES",
    "Comparison",
    "Observed",
    "Pair",
    "PairedTest",
    "Runs",
    "costs",
    "limit_vetoes",
    "error_level",
    "measure",
    "observations",
    "prove",
    "rule_vetoes",
    "no_proof",
    "violations",
    "wilson",
]
