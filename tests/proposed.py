"""A proposal with its validation, as a reviewer or a policy meets it."""

from typing import Any

from ratchet.gate import measure, no_proof
from ratchet.prompting import ContextStep, Example, TaskPrompt
from ratchet.records import CaseDifference, Proposal, Validation

BEFORE = TaskPrompt(prompt="Answer.\nKeep it.")
AFTER = TaskPrompt(
    prompt="Answer.\nBe brief.\nKeep it.",
    context=[ContextStep(source="handbook")],
    examples=[Example(input="i", output="o")],
)
LOST = CaseDifference(case_id="c", input="i", expected="e", before="b", after="a")


def proposal(**more: Any) -> Proposal:
    values = {
        "id": "C-1-P1", "cycle_id": "C-1", "task": "shop", "component": "shop", "strategy": "requirements",
        "rationale": "states it", "before": BEFORE, "after": AFTER, "base_version": 1, "change_hash": "abc",
    }  # fmt: skip
    return Proposal(**(values | more))


def validation(**more: Any) -> Validation:
    proven = {"verdict": "better", "proven": True, "vetoes": [], "before": measure(4, 10), "after": measure(8, 10)}
    return no_proof("-", triggering=1).model_copy(update=proven | more)
