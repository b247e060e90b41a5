from typing import Any

import pytest

from ratchet.engine import Engine
from ratchet.resolving import resolve_item

pytestmark = pytest.mark.anyio


async def test_dismissed_item_says_how_many_failures_it_closed(engine: Engine, queue: Any) -> None:
    await queue("Where is the key?", "Where is the lamp?")

    result = await resolve_item(engine, "C-1", "dismiss", reviewer="ada", reason="a test of ours")

    assert (result.id, result.task, result.status) == ("C-1", "shop", "dismissed")
    assert result.message == "closed, failures with it: 2"
    assert (result.left, result.case, result.version, result.improve) == ([], None, None, None)


async def test_audit_names_the_failures_that_were_dismissed(engine: Engine, queue: Any) -> None:
    await queue("Where is the key?", "Where is the lamp?")
    await resolve_item(engine, "C-1", "dismiss", reviewer="ada", reason="a test of ours")

    (row,) = [row for row in await engine.audit.rows() if row["action"] == "dismiss"]

    assert (row["actor"], row["task"], row["subject"]) == ("ada", "shop", "C-1")
    assert row["detail"] == {"reason": "a test of ours", "failures": ["F-0", "F-1"]}


async def test_dismiss_leaves_alone_what_was_answered_or_taken_up_before(
    engine: Engine, queue: Any, statuses: Any
) -> None:
    await queue("Where is the key?", "Where is the lamp?", "Where is the rope?")
    await resolve_item(engine, "C-1", "correct", expected="attic", failure="F-0")
    await engine.store.failures.mark(["F-1"], "open")
    await engine.store.failures.mark(["F-1"], "in_cycle", "C-2")

    result = await resolve_item(engine, "C-1", "dismiss")

    assert result.message == "closed, failures with it: 1"
    assert await statuses() == {"F-0": "corrected", "F-1": "in_cycle", "F-2": "dismissed", "item": "dismissed"}


async def test_item_without_failures_left_can_be_dismissed(engine: Engine, queue: Any, statuses: Any) -> None:
    await queue()
    await engine.store.failures.mark(["F-0"], "fixed")

    assert (await resolve_item(engine, "C-1", "dismiss")).message == "closed, failures with it: 0"
    assert await statuses() == {"F-0": "fixed", "item": "dismissed"}
