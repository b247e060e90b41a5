"""Failures of one kind belong to one group; a group is what a cycle works on."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from ratchet.records import Evaluation


class FailureGroup(NamedTuple):
    """Open failures of one component that failed the same criteria, oldest first."""

    component: str
    key: str
    ids: list[str]
    sources: int


def group_key(component: str, evaluation: Evaluation) -> str:
    """What a failure is grouped by: the component and the criteria that failed."""
    return f"{component}: {', '.join(sorted(evaluation.failed)) or 'below the threshold'}"


def groups(rows: Iterable[dict[str, Any]]) -> list[FailureGroup]:
    """Groups of failure rows, largest first, equal ones by key."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["group_key"], []).append(row)
    made = [
        FailureGroup(
            component=members[0]["component"],
            key=key,
            ids=[row["id"] for row in members],
            sources=len({row["source"] for row in members}),
        )
        for key, members in found.items()
    ]
    return sorted(made, key=lambda group: (-len(group.ids), group.key))
