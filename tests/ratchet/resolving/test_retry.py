from typing import Any

import pytest

from ratchet.engine import Engine
from ratchet.errors import RefusalError
from ratchet.resolving import resolve_item

pytestmark = pytest.mark.anyio


async def test_retry_opens_what_is_left_and_says_how_to_go_on(
    engine: Engine, queue: Any, statuses: Any, audited: Any
) -> None:
    await queue("Where is the key?", "Where is the lamp?")
    await resolve_item(engine, "C-1", "correct", expected="attic", failure="F-0")
    result = await resolve_item(engine, "C-1", "retry", hint=" be short ", reviewer="ada", reason="r")
    assert result.improve == {"task": "shop", "failures": ["F-1"], "hint": "be short"}
    assert await statuses() == {"F-0": "corrected", "F-1": "open", "item": "retried"}
    assert (await audited())[-1] == ("ada", "retry", "r")
    item = await engine.store.reviews.find("C-1") or {}
    assert item["document"]["answers"][-1]["hint"] == "be short"


async def test_retry_needs_no_hint(engine: Engine, queue: Any) -> None:
    await queue()
    assert (await resolve_item(engine, "C-1", "retry")).improve == {"task": "shop", "failures": ["F-0"]}


async def test_retry_waits_for_an_open_cycle(engine: Engine, queue: Any, statuses: Any) -> None:
    await queue()
    await engine.store.cycles.claim("C-2", "shop", "shop", "improve", "T-2")
    with pytest.raises(RefusalError, match="cycle C-2 is open"):
        await resolve_item(engine, "C-1", "retry", hint="x")
    assert await statuses() == {"F-0": "escalated", "item": "open"}


async def test_failures_that_a_later_cycle_took_up_are_left_to_it(engine: Engine, queue: Any, statuses: Any) -> None:
    await queue("Where is the key?", "Where is the lamp?")
    await engine.store.failures.mark(["F-0", "F-1"], "open")  # as where only the budget has ended
    await engine.store.failures.mark(["F-0"], "in_cycle", "C-2")
    assert (await resolve_item(engine, "C-1", "retry")).improve == {"task": "shop", "failures": ["F-1"]}
    assert await statuses() == {"F-0": "in_cycle", "F-1": "open", "item": "retried"}
