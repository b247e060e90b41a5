"""Tasks and cases as people write them."""

from ratchet.tasks.cases import Case, Expected, Split, load_cases, of_split, solution_text
from ratchet.tasks.criteria import Criterion
from ratchet.tasks.limits import Limits
from ratchet.tasks.task import SourceConfig, Task, load_task, task_names

__all__ = [
    "Case",
    "Criterion",
    "Expected",
    "Limits",
    "SourceConfig",
    "Split",
    "Task",
    "load_cases",
    "load_task",
    "of_split",
    "solution_text",
    "task_names",
]
