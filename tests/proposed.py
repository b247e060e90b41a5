"""A proposal that was put to the gate with the finding on it, as a reviewer or a policy meets it."""

from typing import Any

from ratchet.gate import measure, no_proof
from ratchet.prompting import ContextStep, Example, TaskPrompt, change_hash
from ratchet.records import CaseDifference, Proposal, Validation

BEFORE = TaskPrompt(prompt="Answer.\nKeep it.")
AFTER = TaskPrompt(
    prompt="Answer.\nBe brief.\nKeep it.",
    context=[ContextStep(source="handbook")],
    examples=[Example(input="i", output="o")],
)


def proposal(**more: Any) -> Proposal:
    """A change of the only component of `shop`."""
    values = {
        "id": "C-1-P1", "cycle_id": "C-1", "task": "shop", "component": "shop", "strategy": "requirements",
        "rationale": "states it", "before": BEFORE, "after": AFTER, "base_version": 1,
        "change_hash": change_hash(BEFORE, AFTER),
    }  # fmt: skip
    return Proposal(**(values | more))


def validation(**more: Any) -> Validation:
    """A proven rise from 4 to 8 of 10 held-out cases."""
    proven = {"verdict": "better", "proven": True, "vetoes": [], "before": measure(4, 10), "after": measure(8, 10)}
    return no_proof("-", triggering=1).model_copy(update=proven | more)


def lost(count: int) -> list[CaseDifference]:
    """As many cases that passed before and fail now."""
    return [CaseDifference(case_id=f"c{n}", input="i", expected="e", before="b", after="a") for n in range(count)]
