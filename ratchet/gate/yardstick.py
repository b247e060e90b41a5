"""What a proof was measured by. A change that was proven under other rules or criteria is not proven under today's."""

import hashlib
import json
from typing import NamedTuple

from ratchet.engine import Workbench
from ratchet.records import Validation
from ratchet.tasks import Task


class Yardstick(NamedTuple):
    """Hashes of what decides whether a run passes."""

    rules: str
    criteria: str


def yardstick(bench: Workbench) -> Yardstick:
    """As it is now."""
    return Yardstick(bench.rules.hash, _criteria_hash(bench.task))


def _criteria_hash(task: Task) -> str:
    given = [criterion.model_dump(mode="json") for criterion in task.criteria]
    return hashlib.sha256(json.dumps([task.threshold, given], sort_keys=True).encode()).hexdigest()


def new_yardstick(bench: Workbench, validation: Validation) -> str | None:
    """What is measured otherwise today, None where nothing is. Findings of earlier releases do not say by what."""
    today = yardstick(bench)
    if validation.rules_hash not in ("", today.rules):
        return "the pinned rules have changed"
    if validation.criteria_hash not in ("", today.criteria):
        return f"the criteria or the threshold of {bench.task.name} have changed"
    return None
