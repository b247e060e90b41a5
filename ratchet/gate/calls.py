"""How many model calls the gate may need, so that a budget can be kept for it."""

from collections.abc import Sequence

from ratchet.engine import Workbench
from ratchet.records import FailureBundle
from ratchet.tasks.criteria import Judge

PROMPTS = 2
"""The one in force and the new one."""


def gate_calls(bench: Workbench, failures: Sequence[FailureBundle], cases: int, repeats: int) -> int:
    """Model calls that the gate asks for at most, where no reply is kept already and none has to be asked for again.

    Under both prompts: `cases` held-out cases, each run and judged `repeats` times, and each probe of the rules, run
    once. An agent is taken to need as many calls as in the longest of the `failures`.
    """
    steps = _steps(failures)
    probes = {text for check in bench.rules.checks for text in check.probes}
    return PROMPTS * (cases * repeats * (steps + _votes(bench)) + len(probes) * steps)


def calls_per_run(bench: Workbench, failures: Sequence[FailureBundle]) -> int:
    """Model calls of a run and of its evaluation at most, see `gate_calls`."""
    return _steps(failures) + _votes(bench)


def _steps(failures: Sequence[FailureBundle]) -> int:
    return max((sum(step.kind == "model" for step in failure.trace) for failure in failures), default=1)


def _votes(bench: Workbench) -> int:
    """What judges are asked about one output."""
    return sum(criterion.repeats for criterion in bench.task.criteria if isinstance(criterion, Judge))
