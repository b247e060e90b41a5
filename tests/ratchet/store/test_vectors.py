import asyncio

import pytest

from ratchet.store import Store
from ratchet.store.vectors import AT_ONCE

pytestmark = pytest.mark.anyio


async def test_vector_put_twice_keeps_the_first(store: Store) -> None:
    await store.vectors.put({"k": b"one", "other": b""})
    await store.vectors.put({"k": b"two", "new": b"\0\xff"})

    assert await store.vectors.get(["k", "new", "gone"]) == {"k": b"one", "new": b"\0\xff"}


async def test_any_number_of_vectors_is_kept_and_found(store: Store) -> None:
    many = {f"k{number}": number.to_bytes(4, "little") for number in range(2 * AT_ONCE + 1)}
    await store.vectors.put(many)

    assert await store.vectors.get(list(many)) == many
    assert await store.vectors.get([]) == {}


async def test_vectors_put_at_the_same_time_are_all_kept(store: Store) -> None:
    await asyncio.gather(*(store.vectors.put({f"k{number % 5}": b"x", f"m{number}": b"y"}) for number in range(20)))

    assert len(await store.vectors.get([f"k{n}" for n in range(5)] + [f"m{n}" for n in range(20)])) == 25
