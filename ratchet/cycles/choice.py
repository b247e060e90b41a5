"""Which failures a cycle works on."""

from datetime import UTC, datetime
from typing import NamedTuple

from ratchet.counting import quantity
from ratchet.engine import Engine, Workbench, heldout_inputs
from ratchet.gate.holdout import left_to_holdout
from ratchet.grouping import FailureGroup, regroup, representative_sample
from ratchet.grouping.regroup import REMEMBERED
from ratchet.records import FailureBundle
from ratchet.store.rows import FailureRow
from ratchet.text import normal_form

MOST_FAILURES = 64
"""Failures of a group that one cycle loads at most; experiments and races use a sample of them anyway."""

ENOUGH_INPUTS = 4
"""Failures on different inputs that are enough for a cycle: others of the group may be left to the held-out cases."""


class Choice(NamedTuple):
    """The failures to look at, and the ids of all that the cycle is about. Where nothing may be looked at, why, and the
    ids of those that wait."""

    failures: list[FailureBundle]
    ids: list[str]
    why: str = ""


class _Origin(NamedTuple):
    """A failure and who it came from."""

    id: str
    source: str


async def failures_to_work_on(
    engine: Engine, bench: Workbench, thread_id: str, *, failure_id: str | None = None, wanted: list[str] | None = None
) -> Choice:
    """The failure `failure_id`, those of the cycle that the thread has open, those `wanted`, or the largest group that
    may be worked on.

    A group needs failures from enough distinct sources (setting ``min_sources``), so that no single user steers what is
    changed for all. A known case of the task is the team's own and needs no second one. Failures on inputs that may be
    held out are left alone where the group has enough others.
    """
    if failure_id:
        return await _by_ids(engine, [failure_id])
    mine = await engine.store.cycles.open_of_thread(thread_id)
    if mine and mine["document"].get("failures"):
        return await _by_ids(engine, mine["document"]["failures"])
    return await _largest_group(engine, bench) if wanted is None else await _asked_for(engine, bench, wanted)


async def _by_ids(engine: Engine, ids: list[str]) -> Choice:
    return Choice(await engine.store.failures.bundles(ids), ids, f"the failures {', '.join(ids)[:200]} are not stored")


async def _largest_group(engine: Engine, bench: Workbench) -> Choice:
    task = bench.task.name
    rows = await _open_rows(engine, bench)
    if not rows:
        return Choice([], [], f"{task} has no open failures")
    found = await regroup(engine.store, task, rows, engine.embeddings)
    trusted = {row["id"] for row in rows if bench.is_training_case(row["source"], row["bundle"]["input"])}
    sources = {row["id"]: row["source"] for row in rows}
    least = engine.settings.min_sources
    left = await left_to_holdout(engine, bench, rows)
    parts = await _parts(engine, task, rows, found, left)
    for ids in parts:
        if trusted & set(ids) or len({sources[failure] for failure in ids}) >= least:
            return Choice(await _representatives(engine, rows, ids), ids)
    why = _too_few_sources(task, found, least) if parts else _all_left(task, len(rows))
    return Choice([], [row["id"] for row in rows], why)


async def _parts(
    engine: Engine, task: str, rows: list[FailureRow], found: list[FailureGroup], left: set[str]
) -> list[list[str]]:
    """Of each group what a cycle may work on, best first: it without the failures that are left to the held-out cases,
    then the whole. The whole is left out where a cycle has worked on enough others of it already."""
    inputs = {row["id"]: normal_form(row["bundle"]["input"]) for row in rows}
    since = (datetime.now(UTC) - REMEMBERED).isoformat()
    in_hands = await engine.store.failures.in_hands(task, since)
    parts = []
    for group in found:
        others = [failure for failure in group.ids if failure not in left]
        earlier = in_hands.get(group.key, 0)
        if others and len({inputs[failure] for failure in others}) + earlier >= ENOUGH_INPUTS:
            parts.append(others)
        if earlier < ENOUGH_INPUTS:
            parts.append(group.ids)
    return parts


async def _asked_for(engine: Engine, bench: Workbench, wanted: list[str]) -> Choice:
    """Those that a person names need no second source; they are of one component, that of the oldest."""
    rows = [row for row in await _open_rows(engine, bench) if row["id"] in set(wanted)]
    ids = [row["id"] for row in rows if row["component"] == rows[0]["component"]]
    return Choice(await _representatives(engine, rows, ids), ids, "none of the failures that were asked for is open")


async def _open_rows(engine: Engine, bench: Workbench) -> list[FailureRow]:
    """Open failures that a cycle may look at."""
    hidden = heldout_inputs(bench)
    rows = await engine.store.failures.of_task(bench.task.name, "open")
    return [row for row in rows if normal_form(row["bundle"]["input"]) not in hidden]


async def _representatives(engine: Engine, rows: list[FailureRow], wanted: list[str]) -> list[FailureBundle]:
    """The bundles of the `wanted` failures, or of a part of them in which the sources take turns."""
    mine = set(wanted)
    origins = [_Origin(row["id"], row["source"]) for row in rows if row["id"] in mine]
    return await engine.store.failures.bundles([origin.id for origin in representative_sample(origins, MOST_FAILURES)])


def _too_few_sources(task: str, found: list[FailureGroup], least: int) -> str:
    count = sum(len(group.ids) for group in found)
    return (
        f"{quantity(count, 'open failure')} of {task} waiting; a cycle needs failures of one kind "
        f"from {least} distinct sources (RATCHET_MIN_SOURCES)"
    )


def _all_left(task: str, count: int) -> str:
    return f"all open failures of {task} ({count}) are left to the held-out cases ([holdout] in its task.toml)"
