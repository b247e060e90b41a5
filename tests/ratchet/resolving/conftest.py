from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from shop import FailRuns

from ratchet.cycles.validation import change_hash
from ratchet.engine import Engine
from ratchet.gate import measure, no_proof
from ratchet.prompting import TaskPrompt
from ratchet.records import Proposal

INPUTS = ("Where is the key?", "Where is the lamp?", "Where is the rope?")
Queue = Callable[..., Awaitable[str]]
"""Puts an item into the review queue as `escalate` does; returns the cycle's id."""


@pytest.fixture
def fail(fail_runs: FailRuns, engine: Engine) -> Callable[..., Awaitable[list[str]]]:
    """Stores a failure for each input, none of them in the task's file; returns their ids."""

    async def failed(*inputs: str, expected: Any = "cellar") -> list[str]:
        for number, text in enumerate(inputs):
            await fail_runs(engine, 0, id=f"F-{number}", run_id=f"R-{number}", input=text, expected=expected)
        return [f"F-{number}" for number in range(len(inputs))]

    return failed


@pytest.fixture
def queue(fail: Any, engine: Engine) -> Queue:
    async def put(
        *inputs: str, change: str | None = None, status: str = "unproven", measured: int = 20, **validation: Any
    ) -> str:
        store = engine.store
        bench = await engine.workbench("shop")
        ids = await fail(*(inputs or INPUTS[:1]))
        await store.cycles.claim("C-1", "shop", "shop", "improve", "T")
        await store.failures.mark(ids, "in_cycle", "C-1")
        document: dict[str, Any] = {"failures": ids, "proposal": None, "validation": None}
        if change is not None:
            proposal = proposed(bench.prompts["shop"], change)
            found = no_proof("not enough", triggering=1).model_copy(
                update={"before": measure(1, measured), "after": measure(3, measured)}
            )
            document |= {"proposal": proposal.model_dump(mode="json"), "validation": found.model_dump() | validation}
            row = {"id": "C-1-P1", "cycle_id": "C-1", "task": "shop", "component": "shop", "strategy": "s"}
            await store.proposals.add([{**row, "fingerprint": "f", "status": status, "reason": "", "document": {}}])
        await store.reviews.add("V-C-1", "shop", "C-1", "capability", {"message": "m"})
        await store.failures.mark(ids, "escalated")
        await store.cycles.record("C-1", document, status="escalated")
        return "C-1"

    return put


def proposed(before: TaskPrompt, text: str) -> Proposal:
    after = before.model_copy(update={"prompt": text})
    return Proposal(
        id="C-1-P1", cycle_id="C-1", task="shop", component="shop", strategy="s", rationale="r", before=before,
        after=after, base_version=1, change_hash=change_hash(before, after),
    )  # fmt: skip


Statuses = Callable[[], Awaitable[dict[str, str]]]


@pytest.fixture
def statuses(engine: Engine) -> Statuses:
    """Statuses of all failures and of the review item."""

    async def read() -> dict[str, str]:
        rows = await engine.store.failures.of_task("shop")
        item = await engine.store.reviews.find("C-1")
        return {row["id"]: row["status"] for row in rows} | ({"item": item["status"]} if item else {})

    return read


@pytest.fixture
def audited(engine: Engine) -> Callable[[], Awaitable[list[tuple[str, str, str]]]]:
    """Actor, action and reason of the audit rows that people made."""

    async def read() -> list[tuple[str, str, str]]:
        rows = await engine.audit.rows()
        return [(row["actor"], row["action"], row["detail"]["reason"]) for row in rows if row["actor"] != "file"]

    return read
