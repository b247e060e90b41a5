"""A sample that is balanced and the same every time."""

from collections.abc import Callable, Hashable, Sequence
from itertools import chain, zip_longest
from typing import TypeVar

from ratchet.prompting import content_hash

Item = TypeVar("Item")


def balance(items: Sequence[Item], kind: Callable[[Item], Hashable], text: Callable[[Item], str]) -> list[Item]:
    """`items` in an order of which every beginning is balanced: one of each kind in turn, each kind in the order of a
    hash of its texts. A longer beginning holds the shorter one, so what was paid for is used again."""
    kinds: dict[Hashable, list[Item]] = {}
    for item in sorted(items, key=lambda item: content_hash(text(item))):
        kinds.setdefault(kind(item), []).append(item)
    rows = zip_longest(*(kinds[key] for key in sorted(kinds, key=str)))
    return [item for item in chain.from_iterable(rows) if item is not None]
