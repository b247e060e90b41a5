"""Tasks and cases as people write them."""

from ratchet.tasks.cases import (
    CASE_SOURCE,
    Case,
    Split,
    case_id,
    load_cases,
    merge_cases,
    names_case,
    of_split,
    solution_text,
    stable_split,
)
from ratchet.tasks.criteria import Criterion
from ratchet.tasks.expected import Expected, as_answers, problem_of_expected
from ratchet.tasks.holdout import HoldoutConfig
from ratchet.tasks.limits import Limits
from ratchet.tasks.overlaps import LeftOut, each_input_once, overlap_lines
from ratchet.tasks.task import SourceConfig, Task, load_task, task_names

__all__ = [
    "CASE_SOURCE",
    "Case",
    "Criterion",
    "Expected",
    "HoldoutConfig",
    "LeftOut",
    "Limits",
    "SourceConfig",
    "Split",
    "Task",
    "case_id",
    "each_input_once",
    "load_cases",
    "load_task",
    "merge_cases",
    "names_case",
    "of_split",
    "as_answers",
    "overlap_lines",
    "problem_of_expected",
    "solution_text",
    "stable_split",
    "task_names",
]
