import asyncio
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ratchet.calibration.sample import balance
from ratchet.concurrency import for_each


def order(items: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return balance(items, lambda item: item[0], lambda item: item[1])


@given(st.lists(st.tuples(st.sampled_from("abc"), st.text(max_size=4)), max_size=30), st.randoms())
def test_balanced_keeps_every_item_and_does_not_depend_on_the_file_order(
    items: list[tuple[str, str]], random: object
) -> None:
    shuffled = list(items)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert Counter(order(items)) == Counter(items)
    assert order(shuffled) == order(items)


@given(st.integers(1, 40), st.integers(1, 40), st.integers(0, 80))
def test_balanced_beginnings_hold_as_many_of_each_kind_as_there_are(first: int, second: int, limit: int) -> None:
    items = [("a", str(number)) for number in range(first)] + [("b", str(number)) for number in range(second)]
    counts = Counter(kind for kind, _ in order(items)[:limit])
    assert counts["a"] >= min(first, limit // 2)
    assert counts["b"] >= min(second, limit // 2)


@pytest.mark.anyio
async def test_for_each_keeps_the_order_and_the_bound() -> None:
    running, most, told = 0, 0, []

    async def work(item: int) -> int:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await asyncio.sleep(0.001 * (5 - item))
        running -= 1
        return item * 10

    results = await for_each(range(5), work, 2, lambda done, total: told.append((done, total)))
    assert (results, most) == ([0, 10, 20, 30, 40], 2)
    assert told == [(done, 5) for done in range(1, 6)]


@pytest.mark.anyio
async def test_for_each_raises_the_first_error_as_it_is() -> None:
    async def work(item: int) -> int:
        raise ValueError(str(item))

    with pytest.raises(ValueError, match="0"):
        await for_each([0], work, 2)
