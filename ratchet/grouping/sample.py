"""A few failures that stand for many."""

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


def representative_sample(failures: Sequence[Failure], count: int) -> list[Failure]:
    """`count` failures that represent all, in their order: the sources take turns, so that no single one decides, and
    of each source old and new ones are taken."""
    by_source: dict[str, list[Failure]] = {}
    for failure in failures:
        by_source.setdefault(failure.source, []).append(failure)
    rest = [_evenly(members, count) for members in by_source.values()]
    rounds = [members[turn] for turn in range(count) for members in rest if turn < len(members)]
    if len(by_source) > count:
        rounds = _evenly(rounds, count)
    chosen = {failure.id for failure in rounds[:count]}
    return [failure for failure in failures if failure.id in chosen]


def _evenly(failures: list[Failure], count: int) -> list[Failure]:
    if len(failures) <= count:
        return failures
    return [failures[i * len(failures) // count] for i in range(count)]
