"""Failures of one kind belong to one group; a group is what a cycle works on."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import NamedTuple

from ratchet.grouping.wording import Wording, content_words
from ratchet.records import Evaluation
from ratchet.store.rows import FailureRow

REFINED = " / "
"""Stands in a key between the criteria and the words that tell the group from others of the same criteria."""
DAYS = 7
"""Days of a trend, today included."""
SHOWN = 3
"""Representatives of a group at most."""
LOOKED_AT = 200
"""Members among which representatives are looked for."""


class DayCount(NamedTuple):
    """Failures of one day (UTC)."""

    date: str
    failures: int


class FailureGroup(NamedTuple):
    """Failures of one component that failed the same criteria and, where there are many, say similar things."""

    component: str
    key: str
    ids: list[str]
    """Oldest first."""
    sources: int
    """Distinct sources; those named ``case:ID`` are curated cases."""
    title: str
    representatives: list[str]
    """Up to three ids of typical members that differ from each other."""
    trend: list[DayCount]
    """The last seven days, oldest first."""
    first_at: str
    last_at: str


def group_key(component: str, evaluation: Evaluation) -> str:
    """What a failure is grouped by at first: the component and the criteria that failed."""
    return f"{component}: {', '.join(sorted(evaluation.failed)) or 'below the threshold'}"


def form_groups(rows: Iterable[FailureRow], today: date | None = None) -> list[FailureGroup]:
    """Groups of failure rows by their stored key, largest first, equal ones by key; `today` ends the trend."""
    found: dict[str, list[FailureRow]] = {}
    for row in sorted(rows, key=lambda row: (row["created_at"], row["id"])):
        found.setdefault(row["group_key"], []).append(row)
    refined = {key.partition(REFINED)[0] for key in found if REFINED in key}
    day = today or datetime.now(UTC).date()
    made = [
        FailureGroup(
            component=members[0]["component"],
            key=key,
            ids=[row["id"] for row in members],
            sources=len({row["source"] for row in members}),
            title=_title(members[0]["component"], key, has_siblings=key in refined),
            representatives=_representatives(members),
            trend=_trend(members, day),
            first_at=members[0]["created_at"],
            last_at=members[-1]["created_at"],
        )
        for key, members in found.items()
    ]
    return sorted(made, key=lambda group: (-len(group.ids), group.key))


def _title(component: str, key: str, *, has_siblings: bool) -> str:
    criteria, refined, words = key.removeprefix(f"{component}: ").partition(REFINED)
    return f"{criteria}: {words}" if refined else f"{criteria}: others" if has_siblings else criteria


def _trend(members: Sequence[FailureRow], today: date) -> list[DayCount]:
    counts = Counter(row["created_at"][:10] for row in members)
    days = [(today - timedelta(days=back)).isoformat() for back in reversed(range(DAYS))]
    return [DayCount(day, counts[day]) for day in days]


def _representatives(members: Sequence[FailureRow]) -> list[str]:
    """Members whose words are those of many others, each unlike those before it."""
    looked_at = members[:: -(-len(members) // LOOKED_AT)]
    told = {row["id"]: set(content_words(" ".join(Wording.of(row["bundle"])))) for row in looked_at}
    shared = Counter(word for said in told.values() for word in said)
    typical = sorted(told, key=lambda name: -sum(shared[word] for word in told[name]) / (len(told[name]) + 3))
    chosen: list[str] = []
    for candidate in typical:
        if all(_overlap(told[candidate], told[other]) < 0.5 for other in chosen):
            chosen.append(candidate)
        if len(chosen) == SHOWN:
            break
    return chosen


def _overlap(one: set[str], other: set[str]) -> float:
    return len(one & other) / len(one | other) if one | other else 1.0
