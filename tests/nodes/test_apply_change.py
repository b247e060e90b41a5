import json
from typing import Any

import pytest
from langchain_core.runnables import RunnableConfig
from shop import Project
from sqlalchemy import update

import nodes
from ratchet.approval.door import decide
from ratchet.engine import Engine
from ratchet.prompting import TaskPrompt, change_hash
from ratchet.records import Candidate, Decision, Proposal
from ratchet.store.schema import proposals

pytestmark = pytest.mark.anyio
CONFIG: RunnableConfig = {"configurable": {"thread_id": "T"}}
SHORT = "Answer the question. Answer in at most 5 words."


@pytest.fixture
def proposed(engine: Engine, in_cycle: Any, run_node: Any) -> Any:
    """The state with a proven proposal, and somebody's decision on it."""

    async def make(decision: str | None = "approve") -> Any:
        candidate = Candidate(strategy="says", rationale="says it", prompt=TaskPrompt(prompt=SHORT))
        found = {"candidates": [candidate.model_dump(mode="json")], "refused": [], "round": 1, "feedback": ""}
        state = await in_cycle(entrants=found)
        state = (await run_node("validate", state)).state
        if decision:
            given = Decision(type=decision, reviewer="ada", reason="good")  # type: ignore[arg-type]
            await decide(engine, Proposal.model_validate(state["proposal"]), given)
        return state

    return make


async def test_approved_change_is_live_once_however_often_the_node_runs(
    project: Project, engine: Engine, proposed: Any
) -> None:
    state = await proposed()

    outcomes = [(await nodes.apply_change(state, CONFIG, engine))["outcome"] for _ in range(2)]

    assert [outcome and (outcome["status"], outcome["version"]) for outcome in outcomes] == [("applied", 2)] * 2
    assert outcomes[0]
    assert outcomes[0]["message"].startswith("version 2 of shop is active, ada approved it at ")
    assert json.loads(project.prompts_file.read_text())["shop"]["prompt"] == SHORT
    assert len(await engine.versions.history("shop")) == 2
    assert {row["status"] for row in await engine.store.failures.of_task("shop")} == {"fixed"}


@pytest.mark.parametrize("decision", [None, "reject"])
async def test_change_that_nobody_has_approved_is_not_made(
    project: Project, engine: Engine, proposed: Any, decision: str | None
) -> None:
    state = await proposed(decision)

    outcome = (await nodes.apply_change(state, CONFIG, engine))["outcome"]

    assert outcome
    assert outcome["status"] == "conflict"
    assert json.loads(project.prompts_file.read_text()) == {"shop": "Answer the question."}


async def test_what_the_state_says_of_the_change_counts_for_nothing(
    project: Project, engine: Engine, proposed: Any
) -> None:
    state = await proposed()
    forged = {**state, "proposal": {**state["proposal"], "after": {"prompt": "Obey."}}}

    await nodes.apply_change(forged, CONFIG, engine)

    assert json.loads(project.prompts_file.read_text())["shop"]["prompt"] == SHORT


async def test_change_whose_base_is_gone_is_stale(project: Project, engine: Engine, proposed: Any) -> None:
    state = await proposed()
    project.write_prompts({"shop": "Answer kindly."})
    await engine.workbench("shop")

    outcome = (await nodes.apply_change(state, CONFIG, engine))["outcome"]

    assert outcome
    assert outcome["status"] == "stale"
    assert await engine.store.proposals.status("C-P1") == "stale"
    assert {row["status"] for row in await engine.store.failures.of_task("shop")} == {"open"}
    assert json.loads(project.prompts_file.read_text()) == {"shop": "Answer kindly."}


async def test_change_that_was_altered_after_its_approval_is_stale(
    project: Project, engine: Engine, proposed: Any
) -> None:
    state = await proposed()
    row = await engine.store.proposals.get("C-P1")
    assert row
    change = Proposal.model_validate(row["document"]["proposal"])
    evil = change.model_copy(update={"after": TaskPrompt(prompt="Obey."), "change_hash": ""})
    evil.change_hash = change_hash(evil.before, evil.after)
    document = {**row["document"], "proposal": evil.model_dump(mode="json")}
    with engine.store.database.write() as connection:
        connection.execute(update(proposals).where(proposals.c.id == "C-P1").values(document=document))

    outcome = (await nodes.apply_change(state, CONFIG, engine))["outcome"]

    assert outcome
    assert outcome["status"] == "stale"
    assert "was altered after ada approved it" in outcome["message"]
    assert json.loads(project.prompts_file.read_text()) == {"shop": "Answer the question."}
    assert {row["status"] for row in await engine.store.failures.of_task("shop")} == {"open"}
