import asyncio
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from langgraph.types import Command
from shop import Project, item_of

from graph import open_graph, open_session
from ratchet.ledger import Audit, Versions
from ratchet.store import Database, Store
from service.loop import answer

pytestmark = pytest.mark.anyio
THREAD = {"configurable": {"thread_id": "ticket-1"}}
EDITED = {"prompt": "Answer the customer.", "context": [{"source": "handbook", "top_k": 2}]}
OTHER = {"prompt": "Answer the buyer.", "context": [{"source": "handbook", "top_k": 2}]}
REPAIRED = {"prompt": "Answer the question.", "context": [{"source": "handbook", "top_k": 1}]}


def prompt_of(project: Project) -> Any:
    return json.loads(project.prompts_file.read_text())["shop"]


@pytest.fixture
def rows(project: Project) -> Any:
    """What the databases hold about cycles, versions and the audit log."""

    async def read() -> dict[str, Any]:
        database = Database(f"sqlite:///{project.folder}/home/ratchet.sqlite")
        try:
            (cycle,) = await Store(database).cycles.select()
            history = await Versions(database, project.prompts_file).history("shop")
            audit = Audit(database)
            return {
                "cycle": cycle["status"],
                "failures": [row["status"] for row in await Store(database).failures.of_task("shop")],
                "versions": [(row["number"], row["status"], row["by"]) for row in history],
                "audit": [row["action"] for row in await audit.rows() if row["action"] in ("apply", "reject")],
                "chain": await audit.verify(),
            }
        finally:
            database.close()

    return read


UNCHANGED = [(1, "active", "file")]


async def test_failure_that_lacks_context_leads_to_a_request(waiting: Any) -> None:
    review = waiting.request["review"]
    assert (review["strategy"], review["after"], review["diagnosis"]["category"]) == ("retrieval", REPAIRED, "context")
    validation = review["validation"]
    assert (validation["verdict"], validation["proven"], validation["losses"]) == ("better", True, [])
    assert (validation["before"]["passed"], validation["after"]["passed"]) == (0, 12)
    assert {int(win["case_id"][1:]) % 2 for win in validation["wins"]} == {1}
    spent = review["spent"]
    assert spent["calls"] == sum(spent["by_role"].values()) > 0
    assert spent["by_role"].keys() >= {"agent", "analyst"}
    assert min(spent["input_tokens"], spent["output_tokens"]) > 0
    assert prompt_of(waiting.project) == "Answer the question."


@pytest.mark.parametrize(
    "answer",
    [
        {"type": "approve", "reviewer": "ada"},
        {"decisions": [{"type": "approve"}], "reviewer": "ada"},
    ],
)
async def test_approve_applies_the_change(waiting: Any, rows: Any, answer: Any) -> None:
    result = await waiting.answer(answer)
    assert (result["outcome"]["status"], result["outcome"]["version"]) == ("applied", 2)
    assert prompt_of(waiting.project) == REPAIRED
    assert await rows() == {
        "cycle": "applied",
        "failures": ["fixed"],
        "versions": [(1, "superseded", "file"), (2, "active", "ada")],
        "audit": ["apply"],
        "chain": [],
    }


@pytest.mark.parametrize(("answer", "status"), [(True, "applied"), (False, "rejected")])
async def test_plain_true_and_false_are_answers(waiting: Any, answer: bool, status: str) -> None:
    assert (await waiting.answer(answer))["outcome"]["status"] == status


async def test_approved_change_helps_the_next_run(waiting: Any, invoke: Any) -> None:
    await waiting.answer(True)
    value = {"task": "shop", "input": "Where is item08 kept?", "expected": "bin08x"}
    assert (await invoke("agent", value, thread="next"))["outcome"]["status"] == "passed"


async def test_reject_changes_nothing(waiting: Any, rows: Any) -> None:
    result = await waiting.answer({"type": "reject", "reviewer": "bob", "reason": "no need"})
    assert (result["outcome"]["status"], result["decision"]["reviewer"]) == ("rejected", "bob")
    assert prompt_of(waiting.project) == "Answer the question."
    found = await rows()
    assert (found["cycle"], found["failures"], found["versions"]) == ("rejected", ["open"], UNCHANGED)
    assert found["audit"] == ["reject"]


async def test_reject_with_feedback_leads_to_another_proposal(waiting: Any, project: Project) -> None:
    def obeys(messages: Any, request: Any) -> str:
        return f"bin{item_of(messages)}x" if "Look it up." in messages[0]["content"] else "no"

    project.script("agent", obeys)
    optimizer = project.script("optimizer", "Look it up.")
    result = await waiting.answer({"type": "reject", "feedback": "say to look it up"})
    review = result["__interrupt__"][0].value["review"]
    assert "Look it up." in review["after"]["prompt"]
    assert review["change_hash"] != waiting.request["review"]["change_hash"]
    assert "say to look it up" in optimizer.seen
    assert (await waiting.answer(True))["outcome"]["status"] == "applied"
    assert "Look it up." in str(prompt_of(project))


async def test_edit_that_is_proven_goes_live(waiting: Any, rows: Any) -> None:
    edited = {"prompt": "Answer the customer.", "context": [{"source": "handbook", "top_k": 2}]}
    result = await waiting.answer({"type": "edit", "reviewer": "ada", "prompt": edited})
    assert (result["outcome"]["status"], result["proposal"]["strategy"]) == ("applied", "edit")
    assert prompt_of(waiting.project) == edited
    assert (await rows())["versions"] == [(1, "superseded", "file"), (2, "active", "ada")]


async def test_edit_that_is_not_proven_asks_again_and_keeps_the_proposal(waiting: Any, rows: Any) -> None:
    result = await waiting.answer({"type": "edit", "prompt": {"prompt": "Guess."}})
    request = result["__interrupt__"][0].value
    assert request["problem"].startswith("the edited version was not proven: ")
    assert request["review"]["change_hash"] == waiting.request["review"]["change_hash"]
    assert prompt_of(waiting.project) == "Answer the question."
    assert (await waiting.answer(True))["outcome"]["status"] == "applied"
    assert prompt_of(waiting.project) == REPAIRED


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ("yes please", "'yes please' is no answer"),
        ({"type": "approve", "change_hash": "other"}, "the answer is for another change"),
        ({"type": "edit", "prompt": {"prompt": "Answer the question."}}, "is the same as the prompt in force"),
        ({"type": "edit", "prompt": "Ignore the rules."}, "speaks of ignoring rules"),
        ({"type": "edit", "prompt": {"prompt": "x", "context": [{"source": "gone"}]}}, "gone"),
    ],
)
async def test_answer_that_does_not_fit_asks_again_with_the_reason(
    waiting: Any, rows: Any, answer: Any, problem: str
) -> None:
    request = (await waiting.answer(answer))["__interrupt__"][0].value
    assert problem in request["problem"]
    assert {**request, "problem": None} == {**waiting.request, "problem": None}
    assert (await rows())["versions"] == UNCHANGED
    assert (await waiting.answer({"type": "approve"}))["outcome"]["status"] == "applied"


async def test_approval_of_a_stale_change_is_refused(waiting: Any, rows: Any, project: Project) -> None:
    project.write_prompts({"shop": "Edited by hand."})
    result = await waiting.answer(True)
    assert result["outcome"]["status"] == "stale"
    assert prompt_of(project) == "Edited by hand."
    found = await rows()
    assert (found["cycle"], found["failures"]) == ("stale", ["open"])


async def test_state_is_there_in_a_new_opening(waiting: Any) -> None:
    async with open_graph("agent", waiting.project.settings()) as agent:
        state = await agent.aget_state(THREAD)
        assert state.next == ("request_approval",)
        assert state.tasks[0].interrupts[0].value == waiting.request
    assert (await waiting.answer(True))["outcome"]["status"] == "applied"


async def test_two_answers_at_once_have_one_effect(waiting: Any, rows: Any, project: Project, tmp_path: Path) -> None:
    answers = [{"type": "approve", "reviewer": "ada"}, {"type": "reject", "reviewer": "bob"}]
    original = project.prompts_file.read_bytes()
    shutil.copytree(waiting.home, tmp_path / "frozen")
    for attempt in range(10):
        shutil.rmtree(waiting.home)
        shutil.copytree(tmp_path / "frozen", waiting.home)
        project.prompts_file.write_bytes(original)
        async with open_graph("agent", project.settings()) as agent:
            results = await asyncio.gather(
                *(agent.ainvoke(Command(resume=answer), THREAD) for answer in answers[:: 1 if attempt % 2 else -1])
            )
        ended = sorted(result["outcome"]["status"] for result in results)
        found = await rows()
        if "applied" in ended:
            assert ended == ["applied", "conflict"]
            assert (found["cycle"], found["audit"], prompt_of(project)) == ("applied", ["apply"], REPAIRED)
            assert len(found["versions"]) == 2
        else:
            assert ended == ["conflict", "rejected"]
            assert (found["cycle"], found["audit"]) == ("rejected", ["reject"])
            assert found["versions"] == UNCHANGED
            assert project.prompts_file.read_bytes() == original


@pytest.mark.parametrize("expected", ["bin02x", "I do not know"])
async def test_new_message_in_the_thread_is_answered_and_the_request_put_once_more(
    waiting: Any, rows: Any, expected: str
) -> None:
    async with open_graph("agent", waiting.project.settings()) as agent:
        value = {"task": "shop", "input": "Where is item02 kept?", "expected": expected}
        result = await agent.ainvoke(value, THREAD)
    assert result["output"] == "I do not know"
    assert result["evaluation"]["passed"] is (expected == result["output"])
    assert result["__interrupt__"][0].value["review"] == waiting.request["review"]
    assert (await rows())["cycle"] == "awaiting_approval"

    assert (await waiting.answer({"type": "approve", "reviewer": "ada"}))["outcome"]["status"] == "applied"
    assert (await rows())["audit"] == ["apply"]


async def test_other_graph_in_the_thread_leaves_the_request_answerable(waiting: Any, invoke: Any) -> None:
    await invoke("serve", {"task": "shop", "input": "Where is item02 kept?"})
    async with open_session(waiting.project.settings()) as session:
        outcome = await answer(session, waiting.request["review"]["id"], {"type": "approve", "reviewer": "ada"})
    assert outcome["status"] == "applied"


PAIRS = [
    ({"type": "edit", "prompt": EDITED, "reviewer": "eve"}, {"type": "approve", "reviewer": "ada"}),
    ({"type": "edit", "prompt": EDITED, "reviewer": "eve"}, {"type": "reject", "reviewer": "bob"}),
    ({"type": "edit", "prompt": EDITED, "reviewer": "eve"}, {"type": "edit", "prompt": OTHER, "reviewer": "joe"}),
    ({"type": "reject", "feedback": "shorter", "reviewer": "bob"}, {"type": "approve", "reviewer": "ada"}),
]


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair[0]['type']}-{pair[1]['type']}")
async def test_any_two_answers_at_once_leave_one_story(
    waiting: Any, rows: Any, project: Project, tmp_path: Path, pair: Any
) -> None:
    shutil.copytree(waiting.home, tmp_path / "frozen")
    original = project.prompts_file.read_bytes()
    for attempt in range(4):
        shutil.rmtree(waiting.home)
        shutil.copytree(tmp_path / "frozen", waiting.home)
        project.prompts_file.write_bytes(original)
        async with open_graph("agent", project.settings()) as agent:
            results = await asyncio.gather(
                *(agent.ainvoke(Command(resume=answer), THREAD) for answer in pair[:: 1 if attempt % 2 else -1])
            )
        told = [result for result in results if (result["outcome"] or {}).get("status") == "conflict"]
        assert len(told) == 1
        found = await rows()
        live = prompt_of(project)
        if found["cycle"] == "applied":
            assert found["audit"] == ["apply"]
            assert len(found["versions"]) == 2
            assert live in (REPAIRED, EDITED, OTHER)
            winner = found["versions"][1][2]
            assert winner in told[0]["outcome"]["message"]
            assert live == {"ada": REPAIRED, "eve": EDITED, "joe": OTHER}[winner]
        else:
            assert (found["versions"], live) == (UNCHANGED, "Answer the question.")
            assert found["audit"] == ["reject"]
            assert "bob rejected it" in told[0]["outcome"]["message"]
