"""A few failures that stand for many."""

from collections import Counter
from collections.abc import Sequence
from typing import Protocol, TypeVar


class Sourced(Protocol):
    """A failure, or as much of it as choosing needs."""

    @property
    def id(self) -> str:
        """Its id."""

    @property
    def source(self) -> str:
        """Who it came from."""


Failure = TypeVar("Failure", bound=Sourced)
Item = TypeVar("Item")


def representative_sample(failures: Sequence[Failure], count: int) -> list[Failure]:
    """`count` failures that represent all, in their order: the sources take turns, so that no single one decides, and
    of each source old and new ones are taken."""
    by_source: dict[str, list[Failure]] = {}
    for failure in failures:
        by_source.setdefault(failure.source, []).append(failure)
    turns = [source for turn in range(count) for source, members in by_source.items() if turn < len(members)]
    if len(by_source) > count:
        turns = _evenly(list(by_source), count)
    shares = Counter(turns[:count])
    chosen = {failure.id for source, members in by_source.items() for failure in _evenly(members, shares[source])}
    return [failure for failure in failures if failure.id in chosen]


def _evenly(items: list[Item], count: int) -> list[Item]:
    if len(items) <= count:
        return items
    return [items[i * len(items) // count] for i in range(count)]
