"""The evaluator: scores a run after it ended, never inside the agent."""

from ratchet.evaluators.endings import with_endings
from ratchet.evaluators.evaluate import aggregate, evaluate_output, needs_expected
from ratchet.evaluators.python import load_function
from ratchet.evaluators.requirements import derived_requirements, requirement
from ratchet.evaluators.rule_checks import with_rules

__all__ = [
    "aggregate",
    "derived_requirements",
    "evaluate_output",
    "load_function",
    "needs_expected",
    "requirement",
    "with_endings",
    "with_rules",
]
