"""What the nodes of one improvement cycle share: its budget, its failures, its ending."""

import uuid
from typing import Any

from langchain_core.runnables import RunnableConfig

from ratchet.engine import Engine, Workbench
from ratchet.llm import Meter
from ratchet.records import CandidateResult, FailureBundle
from ratchet.state import OutcomeState, OutcomeStatus
from ratchet.trial import Trial

MAX_ROUNDS = 3
"""Proposals in one cycle: the first, and one for each rejection with feedback."""


def thread_of(config: RunnableConfig) -> str | None:
    """The thread a node runs in; None where the graph has no checkpointer."""
    thread_id = config.get("configurable", {}).get("thread_id")
    return None if thread_id is None else str(thread_id)


async def let_go(engine: Engine, thread_id: str | None) -> None:
    """Note that nobody works on the open cycle of a thread any more, so that the next `improve` goes on with it."""
    row = await engine.store.cycles.open_of_thread(thread_id) if thread_id else None
    if row is not None:
        await engine.store.cycles.record(row["id"], {"owner": ""})


def new_cycle_id() -> str:
    """An id for a cycle. An open cycle keeps its own when a node runs again."""
    return f"C-{uuid.uuid4().hex[:10]}"


async def cycle_meter(engine: Engine, cycle_id: str) -> Meter:
    """The meter of a cycle, with the calls it has paid for already."""
    spent = (await engine.store.replies.spent_by(cycle_id)).calls
    return Meter(limit=engine.settings.max_calls, spent=spent, cycle_id=cycle_id)


def heldout_inputs(bench: Workbench) -> set[str]:
    """Inputs that no proposing or diagnosing call may see."""
    return {case.input.strip() for case in bench.holdout}


def as_trials(failures: list[FailureBundle]) -> list[Trial]:
    """The failed inputs, each once, to be tried again."""
    return list({failure.input: Trial(failure.input, failure.expected) for failure in failures}.values())


def ended(status: OutcomeStatus, message: str, **more: Any) -> OutcomeState:
    """An outcome."""
    return {"status": status, "message": message, **more}  # type: ignore[typeddict-item]


def refused_results(refused: list[Any]) -> list[CandidateResult]:
    """Refused candidates as the reviewer sees them."""
    return [
        CandidateResult(
            strategy=item.candidate.strategy,
            rationale=item.candidate.rationale,
            status="refused",
            reason=item.reason,
        )
        for item in refused
    ]
