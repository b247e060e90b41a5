import json
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from langchain_core.runnables import RunnableConfig
from shop import Project

import nodes
from ratchet.approval.door import decide
from ratchet.engine import Engine
from ratchet.gate import measure, no_proof
from ratchet.prompting import TaskPrompt, change_hash
from ratchet.records import Decision, Diagnosis, Proposal

pytestmark = pytest.mark.anyio
CONFIG: RunnableConfig = {"configurable": {"thread_id": "T"}}
Put = Callable[..., Awaitable[Proposal]]


@pytest.fixture
def put(engine: Engine) -> Put:
    """Puts a proven change on the table, as `validate` does, and answers it."""

    async def make(decision: Decision | None) -> Proposal:
        await engine.workbench("shop")
        before, after = TaskPrompt(prompt="Answer the question."), TaskPrompt(prompt="Better.")
        proposal = Proposal(
            id="C-P1", cycle_id="C", task="shop", component="shop", strategy="s", rationale="r", before=before,
            after=after, base_version=1, change_hash=change_hash(before, after),
        )  # fmt: skip
        found = no_proof("-", triggering=1).model_copy(update={"before": measure(1, 4), "after": measure(3, 4)})
        diagnosis = Diagnosis(category="prompt", component="shop", failures=[], explanation="")
        kept: Any = {"proposal": proposal.model_dump(mode="json"), "validation": found.model_dump(mode="json")}
        await engine.store.cycles.claim("C", "shop", "shop", "agent", "T", {"diagnosis": diagnosis.model_dump()})
        row: Any = {"id": "C-P1", "cycle_id": "C", "task": "shop", "component": "shop", "strategy": "s"}
        row |= {
            "fingerprint": "f",
            "status": "pending",
            "reason": None,
            "document": {"base_hash": "b", "prompt": {}} | kept,
        }
        await engine.store.proposals.add([row])
        await engine.store.cycles.record("C", kept, status="awaiting_approval")
        if decision:
            await decide(engine, proposal, decision)
        return proposal

    return make


async def apply(engine: Engine, proposal_id: Any = "C-P1") -> Any:
    state: Any = {"proposal": {"id": proposal_id, "after": {"prompt": "evil"}}, "decision": {"type": "approve"}}
    return (await nodes.apply_change(state, CONFIG, engine))["outcome"]


async def test_approved_change_goes_live_once_however_often_the_node_runs(
    project: Project, engine: Engine, put: Put
) -> None:
    await put(Decision(type="approve", reviewer="ada"))
    outcomes = [await apply(engine) for _ in range(2)]
    assert [(outcome["status"], outcome["version"]) for outcome in outcomes] == [("applied", 2)] * 2
    assert "ada approved it at" in outcomes[0]["message"]
    rows = [row for row in await engine.audit.rows() if row["action"] == "apply"]
    assert [(row["actor"], row["detail"]["reason"], row["detail"]["numbers"]["after"]) for row in rows] == [
        ("ada", "r", 0.75)
    ]
    assert json.loads(project.prompts_file.read_text()) == {"shop": {"prompt": "Better."}}


@pytest.mark.parametrize("decision", [None, Decision(type="reject", reviewer="bob")])
async def test_change_that_nobody_approved_stays_where_it_is(
    project: Project, engine: Engine, put: Put, decision: Decision | None
) -> None:
    await put(decision)
    before = project.prompts_file.read_bytes()
    outcome = await apply(engine)
    assert outcome["status"] == "conflict"
    assert "nothing was changed" in outcome["message"]
    assert project.prompts_file.read_bytes() == before
    assert len(await engine.versions.history("shop")) == 1


@pytest.mark.parametrize("proposal_id", ["C-9", "", None, {"a": 1}, "x" * 10_000])
async def test_unknown_id_changes_nothing(engine: Engine, put: Put, proposal_id: Any) -> None:
    await put(Decision(type="approve", reviewer="ada"))
    outcome = await apply(engine, proposal_id)
    assert (outcome["status"], len(outcome["message"]) < 200) == ("conflict", True)
    assert len(await engine.versions.history("shop")) == 1


async def test_approval_that_comes_too_late_is_stale_and_gives_the_failures_back(
    project: Project, engine: Engine, put: Put
) -> None:
    await put(Decision(type="approve", reviewer="ada"))
    project.write_prompts({"shop": "Edited by hand."})
    assert (await apply(engine))["status"] == "stale"
    assert json.loads(project.prompts_file.read_text()) == {"shop": "Edited by hand."}
    cycle = await engine.store.cycles.get("C")
    assert cycle is not None
    assert (cycle["status"], await engine.store.proposals.status("C-P1")) == ("stale", "stale")


async def test_change_that_was_rolled_back_is_not_said_to_be_active(engine: Engine, put: Put) -> None:
    await put(Decision(type="approve", reviewer="ada"))
    await apply(engine)
    bench = await engine.workbench("shop")
    await engine.versions.rollback(bench.task, 1, "bob", "worse")
    outcome = await apply(engine)
    assert "was applied before and is rolled_back now" in outcome["message"]
    assert (await engine.versions.history("shop"))[-1]["status"] == "active"
