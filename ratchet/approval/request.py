"""The approval request that a person (or a written policy) answers."""

import difflib
from typing import Any

from ratchet.prompting import TaskPrompt, describe_prompt
from ratchet.records import Diagnosis, Proposal, Spent, Validation

ACTION = "apply_change"


def diff(before: TaskPrompt, after: TaskPrompt) -> str:
    """A unified diff of two prompts with their context steps and examples."""
    lines = difflib.unified_diff(
        describe_prompt(before).splitlines(), describe_prompt(after).splitlines(), "before", "after", lineterm="", n=50
    )
    return "\n".join(lines)


def approval_request(
    proposal: Proposal, validation: Validation, diagnosis: Diagnosis, spent: Spent, problem: str | None
) -> dict[str, Any]:
    """LangChain's human-in-the-loop request with the whole review beside it.

    `problem` says why an earlier answer was not accepted.
    """
    before, after = validation.before, validation.after
    rotated = f", {validation.production} of these from production" if validation.production else ""
    repeated = f"; {validation.repeats.line}" if validation.repeats.line else ""
    counts = f"{len(validation.wins)} won, {len(validation.losses)} lost of {after.n}{rotated}{repeated}"
    summary = (
        f"{proposal.task}/{proposal.component}: {proposal.rationale}. Held-out success {before.rate:.0%} -> "
        f"{after.rate:.0%} ({counts})."
    )
    arguments = {"component": proposal.component, "prompt": proposal.after.as_json()}
    request: dict[str, Any] = {
        "action_requests": [{"name": ACTION, "args": arguments, "description": summary}],
        "review_configs": [{"action_name": ACTION, "allowed_decisions": ["approve", "edit", "reject"]}],
        "review": {
            "id": proposal.cycle_id,
            "summary": summary,
            "task": proposal.task,
            "component": proposal.component,
            "strategy": proposal.strategy,
            "diff": diff(proposal.before, proposal.after),
            "before": proposal.before.as_json(),
            "after": proposal.after.as_json(),
            "base_version": proposal.base_version,
            "change_hash": proposal.change_hash,
            "validation": validation.model_dump(mode="json"),
            "diagnosis": diagnosis.model_dump(mode="json"),
            "candidates": [candidate.model_dump(mode="json") for candidate in proposal.candidates],
            "spent": spent.model_dump(),
        },
    }
    if problem:
        request["problem"] = problem
    return request
