"""Orders that look random and are the same in every run."""

import hashlib
from collections.abc import Callable, Sequence
from typing import TypeVar

Item = TypeVar("Item")


def shuffled(items: Sequence[Item], key: Callable[[Item], str], salt: str = "") -> list[Item]:
    """`items` ordered by a hash of their key: independent of their first order, different for each `salt`."""
    return sorted(items, key=lambda item: hashlib.sha256(f"{salt}\n{key(item)}".encode()).digest())
