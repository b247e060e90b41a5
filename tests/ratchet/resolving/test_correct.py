from typing import Any

import pytest

from ratchet.engine import Engine
from ratchet.errors import AlreadyDecidedError, ConfigurationError
from ratchet.resolving import CaseRequest, approve_case, resolve_item

pytestmark = pytest.mark.anyio


async def test_correct_goes_on_until_no_failure_is_left(
    engine: Engine, queue: Any, statuses: Any, audited: Any
) -> None:
    await queue("Where is the key?", "Where is the lamp?")
    with pytest.raises(ConfigurationError, match="name one with --failure: F-0, F-1"):
        await resolve_item(engine, "C-1", "correct", expected="attic")
    first = await resolve_item(engine, "C-1", "correct", expected="attic", failure="F-1", reviewer="ada", reason="r")
    assert (first.status, first.left, first.case and first.case["split"]) == ("open", ["F-0"], "train")
    assert await statuses() == {"F-0": "escalated", "F-1": "corrected", "item": "open"}
    with pytest.raises(AlreadyDecidedError, match="F-1 is corrected already"):
        await resolve_item(engine, "C-1", "correct", expected="shed", failure="F-1")
    last = await resolve_item(engine, "C-1", "correct", expected={"place": "shed"}, reviewer="ada", reason="s")
    assert (last.status, last.left) == ("corrected", [])
    assert await statuses() == {"F-0": "corrected", "F-1": "corrected", "item": "corrected"}
    rows = {row["input"]: row["expected"] for row in await engine.store.cases.of_task("shop")}
    assert rows == {"Where is the lamp?": "attic", "Where is the key?": {"place": "shed"}}
    kinds = [action for _, action, _ in await audited()]
    assert kinds == ["case", "correct", "case", "correct"]
    item = await engine.store.reviews.find("C-1") or {}
    assert [answer["failure"] for answer in item["document"]["answers"]] == ["F-1", "F-0"]


async def test_correct_covers_failures_with_the_same_input(engine: Engine, queue: Any, statuses: Any) -> None:
    await queue("Where is the key?", " where is THE key", "Where is the key\uff1f\r\n")
    result = await resolve_item(engine, "C-1", "correct", expected="attic")
    assert result.status == "corrected"
    assert len(await engine.store.cases.of_task("shop")) == 1


async def test_correct_takes_the_same_case_that_was_approved_before(engine: Engine, queue: Any) -> None:
    await queue("Where is the key?")
    request = CaseRequest("shop", input="Where is the key?", expected="attic")
    before = (await approve_case(engine, request)).row
    result = await resolve_item(engine, "C-1", "correct", expected="attic")
    assert (result.status, result.case) == ("corrected", before)


async def test_correct_of_a_case_of_the_file_changes_nothing(engine: Engine, queue: Any, statuses: Any) -> None:
    await queue("Where is item00 kept?")
    with pytest.raises(ConfigurationError, match="the case 'c00'"):
        await resolve_item(engine, "C-1", "correct", expected="attic")
    assert await statuses() == {"F-0": "escalated", "item": "open"}


async def test_dismiss_leaves_what_was_corrected(engine: Engine, queue: Any, statuses: Any) -> None:
    await queue("Where is the key?", "Where is the lamp?")
    await resolve_item(engine, "C-1", "correct", expected="attic", failure="F-0")
    await resolve_item(engine, "C-1", "dismiss")
    assert await statuses() == {"F-0": "corrected", "F-1": "dismissed", "item": "dismissed"}


@pytest.mark.parametrize("expected", [[""], [" ", "shed"], [None], [{}], {}, [float("nan")], {"place": "\ud800"}])
async def test_correct_refuses_what_every_output_or_none_would_pass(
    engine: Engine, queue: Any, statuses: Any, expected: Any
) -> None:
    await queue("Where is the key?")
    before = await statuses()
    with pytest.raises(ConfigurationError, match=r"the expected output .* (is empty|is no JSON|surrogate)"):
        await resolve_item(engine, "C-1", "correct", expected=expected)
    assert (await statuses(), await engine.store.cases.of_task("shop")) == (before, [])
