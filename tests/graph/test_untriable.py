"""Failures about which nothing can be found out: one clear line, the cycle ends as escalated, nothing is lost."""

from typing import Any

import pytest
from shop import TASK, OpenEngine, Project, shop_items
from sqlalchemy import update

from ratchet.store.schema import failures

pytestmark = pytest.mark.anyio
CASE = shop_items()[0]
INPUT = {"task": "shop", "input": CASE["input"], "expected": CASE["expected"]}


async def assert_escalated(open_engine: OpenEngine, result: dict[str, Any], kind: str, message: str) -> None:
    outcome = result["outcome"]
    assert (outcome["status"], outcome["kind"]) == ("escalated", kind)
    assert message in outcome["message"]
    assert "\n" not in outcome["message"]
    store = (await open_engine()).store
    (review,) = await store.reviews.select("shop")
    assert (review["kind"], review["document"]["message"]) == (kind, outcome["message"])
    (failure,) = await store.failures.of_task("shop")
    assert (failure["status"], failure["bundle"]["input"]) == ("escalated", CASE["input"])
    assert [row["status"] for row in await store.cycles.select()] == ["escalated"]


async def test_evaluator_that_passes_the_canary_ends_the_cycle_before_it_spends_anything(
    project: Project, invoke: Any, open_engine: OpenEngine
) -> None:
    toml = TASK + f'\n[canary]\ninput = "Where?"\noutput = "{CASE["expected"]}"\nexpected = "{CASE["expected"]}"\n'
    project.write_task(toml=toml, cases=shop_items())
    script = project.script("agent", "I do not know")
    result = await invoke("agent", INPUT)
    await assert_escalated(open_engine, result, "evaluator", "the canary, a known bad output, passes")
    assert len(script.calls) == 1


async def test_failure_without_an_expected_output_is_escalated(
    project: Project, invoke: Any, open_engine: OpenEngine
) -> None:
    project.script("agent", "this is an answer of more than five words")
    result = await invoke("agent", {"task": "shop", "input": CASE["input"]})
    await assert_escalated(open_engine, result, "error", "has no expected output, which the criterion 'correct'")


async def test_failure_whose_version_is_gone_is_escalated(
    project: Project, invoke: Any, open_engine: OpenEngine
) -> None:
    await invoke("serve", INPUT, thread="run")
    engine = await open_engine()
    (row,) = await engine.store.failures.of_task("shop")
    with engine.store.database.write() as connection:
        connection.execute(update(failures).values(bundle=row["bundle"] | {"version": 9}))
    result = await invoke("improve", {"task": "shop"}, thread="cycle")
    await assert_escalated(
        open_engine, result, "error", "made by version 9 of the prompts, which is not in the history"
    )


async def test_source_that_raises_is_escalated(project: Project, invoke: Any, open_engine: OpenEngine) -> None:
    class Broken:
        async def ainvoke(self, query: str) -> Any:
            raise OSError("the index is gone")

    use = project.add("broken", Broken())
    toml = TASK.replace('kind = "documents"\npath = "documents"', f'kind = "python"\nuse = "{use}"')
    project.write_task(toml=toml, cases=shop_items())
    result = await invoke("agent", INPUT)
    await assert_escalated(open_engine, result, "error", "not everything could be tried: context source 'handbook'")
