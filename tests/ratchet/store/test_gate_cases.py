from typing import Any

import pytest

from ratchet.store import Store

pytestmark = pytest.mark.anyio


def chosen(*texts: str, run_id: str | None = None) -> list[dict[str, Any]]:
    return [{"case_id": f"id {text}", "input": text, "expected": [text], "run_id": run_id} for text in texts]


async def test_settle_keeps_the_order_and_the_first_choice(store: Store) -> None:
    first = await store.gate_cases.settle("P1", "t", chosen("b", "a", run_id="R-1"))
    assert [(row["input"], row["expected"], row["run_id"], row["place"]) for row in first] == [
        ("b", ["b"], "R-1", 0), ("a", ["a"], "R-1", 1),
    ]  # fmt: skip
    assert await store.gate_cases.settle("P1", "t", chosen("a", "c")) == first
    assert await store.gate_cases.of_test("P1") == first
    assert await store.gate_cases.of_test("P2") == []


async def test_settle_of_nothing_leaves_the_choice_open(store: Store) -> None:
    assert await store.gate_cases.settle("P1", "t", []) == []
    assert len(await store.gate_cases.settle("P1", "t", chosen("a"))) == 1


async def test_decisions_count_the_tests_that_looked_at_an_input(store: Store) -> None:
    for test in ("P1", "P2", "P3"):
        await store.gate_cases.settle(test, "t", chosen("a", "b "))
    await store.gate_cases.settle("P4", "u", chosen("a"))
    await store.gate_cases.note_seen("P1", {"id a", "id b "})
    await store.gate_cases.note_seen("P2", {"id a"})
    await store.gate_cases.note_seen("P4", {"id a"})
    assert await store.gate_cases.decisions("t") == {"a": 2, "b": 1}


async def test_settle_keeps_that_nothing_is_expected(store: Store) -> None:
    (row,) = await store.gate_cases.settle(
        "P1", "t", [{"case_id": "a", "input": "a", "expected": None, "run_id": None}]
    )
    assert row["expected"] is None
