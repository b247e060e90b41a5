from typing import Any

import pytest

from ratchet.engine import Engine
from ratchet.errors import ConfigurationError
from ratchet.resolving import resolve_item
from ratchet.resolving.item import ReviewRequest, find_item

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("item_id", ["C-1", "V-C-1"])
async def test_item_is_found_by_its_own_id_and_by_its_cycles(engine: Engine, queue: Any, item_id: str) -> None:
    await queue("Where is the key?", "Where is the lamp?")

    item = await find_item(engine, item_id)

    assert (item.id, item.row["id"], item.cycle["id"]) == ("C-1", "V-C-1", "C-1")
    assert [failure["id"] for failure in item.failures] == item.ids_left() == ["F-0", "F-1"]


async def test_failures_that_were_answered_are_left_no_more(engine: Engine, queue: Any) -> None:
    await queue("Where is the key?", "Where is the lamp?")
    await resolve_item(engine, "C-1", "correct", expected="attic", failure="F-0")

    item = await find_item(engine, "C-1")

    assert item.ids_left() == ["F-1"]
    assert [failure["id"] for failure in item.left] == ["F-1"]
    assert len(item.failures) == 2


@pytest.mark.parametrize("item_id", ["C-9", "V-C-9", "", "C-1' OR '1'='1"])
async def test_item_that_is_not_there_is_told_where_to_look(engine: Engine, queue: Any, item_id: str) -> None:
    await queue()
    with pytest.raises(ConfigurationError) as caught:
        await find_item(engine, item_id)
    assert str(caught.value) == f"no review item {item_id!r}; `ratchet inbox` lists what waits"


async def test_cycle_that_still_runs_is_no_review_item(engine: Engine) -> None:
    await engine.store.cycles.claim("C-2", "shop", "shop", "improve", "T")
    with pytest.raises(ConfigurationError, match="no review item 'C-2'"):
        await find_item(engine, "C-2")


def test_answer_is_kept_with_its_reason_and_without_what_was_not_said() -> None:
    document = dict(ReviewRequest("retry", "ada", hint="be short").document())

    assert document.pop("at")
    assert document == {"answer": "retry", "reviewer": "ada", "reason": "", "hint": "be short"}
