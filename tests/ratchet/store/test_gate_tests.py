import pytest
from stored import at_once

from ratchet.gate import error_level
from ratchet.store import Store

pytestmark = pytest.mark.anyio


async def test_gate_level_is_stable_and_counts_tests_and_discoveries(store: Store) -> None:
    first = await store.gate_tests.level("t", "A", error_level)
    assert first == error_level(1, 0)
    await store.gate_tests.finish("A", "better")
    assert await store.gate_tests.level("t", "A", error_level) == first
    assert await store.gate_tests.level("t", "B", error_level) == error_level(2, 1)
    assert await store.gate_tests.level("other", "C", error_level) == error_level(1, 0)


def test_gate_levels_of_many_threads_are_distinct(store: Store) -> None:
    levels = at_once(6, lambda n: store.gate_tests.level("t", f"T-{n}", error_level))
    assert sorted(levels, reverse=True) == [error_level(number, 0) for number in range(1, 7)]
