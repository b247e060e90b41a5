"""The nodes of the graphs: one file each, named like the node and its function."""

from nodes.apply_change import apply_change
from nodes.diagnose import diagnose
from nodes.escalate import escalate
from nodes.evaluate import evaluate
from nodes.execute import execute
from nodes.log_failure import log_failure
from nodes.propose_variants import propose_variants
from nodes.repair_context import repair_context
from nodes.request_approval import request_approval
from nodes.validate import validate

__all__ = [
    "apply_change",
    "diagnose",
    "escalate",
    "evaluate",
    "execute",
    "log_failure",
    "propose_variants",
    "repair_context",
    "request_approval",
    "validate",
]
