from typing import Any

import pytest
from shop import TASK, Project, shop_items

pytestmark = pytest.mark.anyio


async def test_retrievals_of_growing_depth_are_proposed(in_cycle: Any, run_node: Any) -> None:
    ran = await run_node("repair_context", await in_cycle("context"))

    steps = [candidate["prompt"]["context"] for candidate in ran.state["candidates"]]
    assert [[(step["source"], step["top_k"]) for step in one] for one in steps] == [
        [("handbook", 1)],
        [("handbook", 2)],
        [("handbook", 4)],
    ]
    assert {candidate["strategy"] for candidate in ran.state["candidates"]} == {"retrieval"}
    assert ran.told == ["asking retrieval"]


async def test_task_without_sources_has_nothing_to_fetch_from(project: Project, in_cycle: Any, run_node: Any) -> None:
    project.write_task(toml=TASK.partition("[[context_sources]]")[0], cases=shop_items())

    assert (await run_node("repair_context", await in_cycle("context"))).state["candidates"] == []
