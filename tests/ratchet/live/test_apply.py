import asyncio
import json
from typing import Any

import pytest
from proposed import validation
from shop import FailRuns, Project
from sqlalchemy import update

from ratchet.cycles.validation import change_hash
from ratchet.engine import Engine
from ratchet.errors import StaleBaseError
from ratchet.live.apply import apply_proposal, numbers
from ratchet.prompting import TaskPrompt
from ratchet.records import Decision, Proposal
from ratchet.store.schema import cycles

pytestmark = pytest.mark.anyio
AFTER = TaskPrompt(prompt="Answer well.")
APPROVED = Decision(type="approve", reviewer="ada", reason="tried it")


@pytest.fixture
async def proposal(project: Project, engine: Engine, fail_runs: FailRuns) -> Proposal:
    """A change of the task that waits, with a cycle of one failure."""
    bench = await engine.workbench("shop")
    (failure,) = await fail_runs(engine, 0)
    await engine.store.cycles.claim("C-1", "shop", "shop", "improve", "T")
    await engine.store.failures.mark([failure.id], "in_cycle", "C-1")
    await waits(engine, "C-1-P1")
    before = bench.prompts["shop"]
    return Proposal(
        id="C-1-P1", cycle_id="C-1", task="shop", component="shop", strategy="s", rationale="states it", before=before,
        after=AFTER, base_version=bench.version, change_hash=change_hash(before, AFTER),
    )  # fmt: skip


async def waits(engine: Engine, name: str) -> None:
    row: Any = {"id": name, "cycle_id": name[:3], "task": "shop", "component": "shop", "strategy": "s"}
    await engine.store.proposals.add([{**row, "fingerprint": name, "status": "pending", "reason": "", "document": {}}])


async def state(engine: Engine) -> dict[str, Any]:
    cycle = await engine.store.cycles.get("C-1") or {}
    return {
        "proposal": await engine.store.proposals.status("C-1-P1"),
        "cycle": (cycle["status"], cycle["document"].get("version")),
        "failures": [row["status"] for row in await engine.store.failures.of_task("shop")],
        "versions": [(row["number"], row["status"], row["by"]) for row in await engine.versions.history("shop")],
        "audit": [row["action"] for row in await engine.audit.rows() if row["actor"] == "ada"],
    }


APPLIED = {
    "proposal": "applied",
    "cycle": ("applied", 2),
    "failures": ["fixed"],
    "versions": [(1, "superseded", "file"), (2, "active", "ada")],
    "audit": ["apply"],
}


async def test_all_that_follows_from_a_change_is_stored_with_it(
    project: Project, engine: Engine, proposal: Proposal
) -> None:
    version = await apply_proposal(engine, proposal, validation(), APPROVED)
    assert (version["number"], version["reason"], version["base_number"]) == (2, "tried it", 1)
    assert version["numbers"] == numbers(validation())
    assert json.loads(project.prompts_file.read_text())["shop"] == AFTER.as_json()
    assert await state(engine) == APPLIED


async def test_applied_again_it_changes_nothing(engine: Engine, proposal: Proposal) -> None:
    first = await apply_proposal(engine, proposal, validation(), APPROVED)
    again = await apply_proposal(engine, proposal, validation(), Decision(type="approve", reviewer="mallory"))
    assert again == first
    assert await state(engine) == APPLIED


async def test_applied_again_it_leaves_failures_of_today(
    engine: Engine, proposal: Proposal, fail_runs: FailRuns
) -> None:
    await apply_proposal(engine, proposal, validation(), APPROVED)
    (later,) = await fail_runs(engine, 2)
    await engine.store.failures.mark([later.id], "in_cycle", "C-1")
    await apply_proposal(engine, proposal, validation(), APPROVED)
    assert sorted((await state(engine))["failures"]) == ["fixed", "in_cycle"]


async def test_applied_by_many_at_once_it_becomes_one_version(engine: Engine, proposal: Proposal) -> None:
    made = await asyncio.gather(*(apply_proposal(engine, proposal, validation(), APPROVED) for _ in range(8)))
    assert {version["number"] for version in made} == {2}
    assert await state(engine) == APPLIED


async def test_a_change_on_an_older_version_changes_nothing(
    project: Project, engine: Engine, proposal: Proposal
) -> None:
    project.write_prompts({"shop": "A person's own."})
    with pytest.raises(StaleBaseError):
        await apply_proposal(engine, proposal, validation(), APPROVED)
    assert json.loads(project.prompts_file.read_text()) == {"shop": "A person's own."}
    assert await state(engine) == APPLIED | {
        "proposal": "pending",
        "cycle": ("running", None),
        "failures": ["in_cycle"],
        "versions": [(1, "superseded", "file"), (2, "active", "file")],
        "audit": [],
    }


async def test_open_failures_are_set_aside_as_they_happened_under_the_old_prompt(
    engine: Engine, proposal: Proposal, fail_runs: FailRuns
) -> None:
    await fail_runs(engine, 2)
    await apply_proposal(engine, proposal, validation(), APPROVED)
    assert sorted((await state(engine))["failures"]) == ["fixed", "superseded"]


async def test_only_failures_of_the_named_statuses_become_fixed(
    engine: Engine, proposal: Proposal, fail_runs: FailRuns
) -> None:
    (other,) = await fail_runs(engine, 2)
    await engine.store.failures.mark([other.id], "in_cycle", "C-1")
    await engine.store.failures.mark([other.id], "escalated")
    await apply_proposal(engine, proposal, validation(), APPROVED)
    assert sorted((await state(engine))["failures"]) == ["escalated", "fixed"]


def test_numbers_are_those_of_the_held_out_cases() -> None:
    assert numbers(validation()) == {
        "before": 0.4, "after": 0.8, "cases": 10, "won": len(validation().wins), "lost": 0,
        "e_value": validation().e_value,
    }  # fmt: skip


async def test_applied_again_it_ends_a_cycle_that_a_late_process_has_opened(engine: Engine, proposal: Proposal) -> None:
    await apply_proposal(engine, proposal, validation(), APPROVED)
    with engine.store.database.write() as connection:
        connection.execute(update(cycles).values(status="awaiting_approval"))
    await apply_proposal(engine, proposal, validation(), APPROVED)
    assert await state(engine) == APPLIED
