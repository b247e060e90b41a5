"""A review item that is retried with a hint: the hint reaches the model that writes proposals, and only this cycle."""

from typing import Any

import pytest
from langgraph.types import Command
from shop import OpenEngine, Project, item_of, needs_context, shop_items

from ratchet.errors import ModelUnavailableError
from ratchet.llm.scripted import Fault
from ratchet.resolving import resolve_item

pytestmark = pytest.mark.anyio
CASES = shop_items()
HINT = "name the bin by its number"


def case(number: int, **more: Any) -> dict[str, Any]:
    return {"task": "shop", "input": CASES[number]["input"], "expected": CASES[number]["expected"]} | more


def needs_the_trick(messages: list[dict[str, Any]], request: Any) -> str:
    return f"bin{item_of(messages)}x" if "bins are numbered" in messages[0]["content"] else "I do not know"


def follows_the_hint(messages: list[dict[str, Any]], request: Any) -> str:
    asked = messages[-1]["content"]
    return "Know that bins are numbered like items." if HINT in asked else "Be very kind."


@pytest.fixture
async def escalated(project: Project, invoke: Any) -> str:
    """The cycle of a failure that no experiment helped."""
    project.script("agent", needs_the_trick)
    result = await invoke("agent", case(0))
    assert result["outcome"]["status"] == "escalated"
    return str(result["outcome"]["cycle_id"])


@pytest.fixture
def retried(open_engine: OpenEngine) -> Any:
    """Answers an item with retry; returns the input of the next cycle."""

    async def answer(cycle_id: str, **options: Any) -> dict[str, Any]:
        engine = await open_engine()
        return (await resolve_item(engine, cycle_id, "retry", **options)).improve or {}

    return answer


async def test_retry_with_a_hint_proposes_where_nothing_helped(
    project: Project, invoke: Any, open_engine: OpenEngine, escalated: str, retried: Any
) -> None:
    await invoke("serve", case(2), thread="other")  # open too, and not meant
    optimizer = project.script("optimizer", follows_the_hint)
    given = await retried(escalated, hint=HINT)
    result = await invoke("improve", given, thread="retry")
    assert HINT in optimizer.seen
    review = result["__interrupt__"][0].value["review"]
    assert (review["diagnosis"]["category"], review["diagnosis"]["failures"]) == ("capability", given["failures"])
    assert "bins are numbered" in review["after"]["prompt"]
    assert (await invoke("improve", Command(resume=True), thread="retry"))["outcome"]["status"] == "applied"
    store = (await open_engine()).store
    assert [row["status"] for row in await store.failures.of_task("shop")] == ["fixed", "superseded"]
    assert await store.reviews.select("shop") == []
    cycle = await store.cycles.get(review["id"]) or {}
    assert cycle["document"]["hint"] == HINT


async def test_retry_without_a_hint_is_escalated_again(
    project: Project, invoke: Any, escalated: str, retried: Any
) -> None:
    optimizer = project.script("optimizer", follows_the_hint)
    result = await invoke("improve", await retried(escalated), thread="retry")
    assert (result["outcome"]["status"], result["outcome"]["kind"]) == ("escalated", "capability")
    assert result["outcome"]["cycle_id"] != escalated
    assert (len(optimizer.calls), HINT in optimizer.seen) == (1, False)


async def test_hint_does_not_outlive_its_cycle_in_a_used_thread(
    project: Project, invoke: Any, escalated: str, retried: Any
) -> None:
    project.script("optimizer", "Be very kind.")
    first = await invoke("improve", await retried(escalated, hint="something else"), thread="used")
    assert first["outcome"]["status"] == "inconclusive"
    await invoke("serve", case(2), thread="other")
    optimizer = project.script("optimizer", follows_the_hint)
    second = await invoke("improve", {"task": "shop"}, thread="used")
    assert (second["outcome"]["status"], second["outcome"]["kind"]) == ("escalated", "capability")
    assert second["diagnosis"]["failures"] != first["diagnosis"]["failures"]
    assert (len(optimizer.calls), "something else" in optimizer.seen) == (1, False)


async def test_hint_gives_way_to_the_reviewers_feedback(
    project: Project, invoke: Any, escalated: str, retried: Any
) -> None:
    project.script("optimizer", follows_the_hint)
    await invoke("improve", await retried(escalated, hint=HINT), thread="retry")
    optimizer = project.script("optimizer", "Know that bins are numbered.")
    await invoke("improve", Command(resume={"type": "reject", "feedback": "shorter please"}), thread="retry")
    assert "shorter please" in optimizer.seen
    assert HINT not in optimizer.seen


async def test_hint_leaves_a_cause_that_was_found_alone(
    project: Project, invoke: Any, escalated: str, retried: Any
) -> None:
    given = await retried(escalated, hint=HINT)
    project.script("agent", needs_context)
    project.write_prompts({"shop": "Answer."})  # else the replies that were paid for are taken
    result = await invoke("improve", given, thread="retry")
    assert result["__interrupt__"][0].value["review"]["strategy"] == "retrieval"


@pytest.mark.parametrize("failures", [[], ["F-unknown"]])
async def test_improve_over_no_open_failure_has_nothing_to_do(invoke: Any, failures: list[str]) -> None:
    await invoke("serve", case(0), thread="run")
    result = await invoke("improve", {"task": "shop", "failures": failures}, thread="cycle")
    assert result["outcome"]["status"] == "nothing_to_do"


async def test_cycle_that_was_stopped_keeps_its_hint(
    project: Project, invoke: Any, escalated: str, retried: Any
) -> None:
    given = await retried(escalated, hint=HINT)
    project.write_prompts({"shop": "Answer."})  # else the replies that were paid for are taken
    project.script("agent", Fault())
    with pytest.raises(ModelUnavailableError):
        await invoke("improve", given, thread="retry")
    project.script("agent", needs_the_trick)
    optimizer = project.script("optimizer", follows_the_hint)
    result = await invoke("improve", {"task": "shop"}, thread="retry")
    assert HINT in optimizer.seen
    assert "bins are numbered" in result["__interrupt__"][0].value["review"]["after"]["prompt"]
