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

    Whoever asks, the failures need enough distinct sources (setting ``min_sources``), so that no single user steers
    what is changed for all. A training case of the task is the team's own and needs no second one, and neither does
    what a person has opened again for a retry. Failures on inputs that may be held out are left alone where the group
    has enough others.
    """
    mine = await engine.store.cycles.open_of_thread(thread_id)
    begun = mine["document"].get("failures", []) if mine else []
    if begun and failure_id in (None, "", *begun):
        return await _by_ids(engine, begun)
    if failure_id:
        return await _failure_or_its_group(engine, bench, failure_id)
    return await _largest_group(engine, bench) if wanted is None else await _asked_for(engine, bench, wanted)


async def _failure_or_its_group(engine: Engine, bench: Workbench, failure_id: str) -> Choice:
    """One failure where a training case asks the same, or one source is enough; else the open ones of its group."""
    found = await _by_ids(engine, [failure_id])
    least = engine.settings.min_sources
    if least <= 1 or all(bench.asks_as_training_case(failure.input, failure.expected) for failure in found.failures):
        return found
    rows = await _open_rows(engine, bench)
    groups = await regroup(engine.store, bench.task.name, rows, engine.embeddings)
    mine = next((set(group.ids) for group in groups if failure_id in group.ids), set())
    group = [row for row in rows if row["id"] in mine]
    if not _may_start(bench, group, least):
        return Choice([], [failure_id], _too_few_sources(bench.task.name, max(len(group), 1), least))
    ids = [row["id"] for row in group]
    return Choice(await _representatives(engine, rows, ids), ids)


def _may_start(bench: Workbench, rows: list[FailureRow], least: int) -> bool:
    """Whether failures come from enough sources, or one of them is that of a training case."""
    return len({row["source"] for row in rows}) >= least or any(_is_known(bench, row) for row in rows)


def _is_known(bench: Workbench, row: FailureRow) -> bool:
    """Whether a failure is that of a training case: all of source, input and expected output are the case's."""
    text, expected = row["bundle"]["input"], row["bundle"]["expected"]
    return bench.is_training_case(row["source"], text) and bench.asks_as_training_case(text, expected)


async def _by_ids(engine: Engine, ids: list[str]) -> Choice:
    return Choice(await engine.store.failures.bundles(ids), ids, f"the failures {', '.join(ids)[:200]} are not stored")


async def _largest_group(engine: Engine, bench: Workbench) -> Choice:
    task = bench.task.name
    rows = await _open_rows(engine, bench)
    if not rows:
        return Choice([], [], f"{task} has no open failures")
    found = await regroup(engine.store, task, rows, engine.embeddings)
    by_id = {row["id"]: row for row in rows}
    least = engine.settings.min_sources
    left = await left_to_holdout(engine, bench, rows)
    parts = await _parts(engine, task, rows, found, left)
    for ids in parts:
        if _may_start(bench, [by_id[failure] for failure in ids], least):
            return Choice(await _representatives(engine, rows, ids), ids)
    why = _too_few_sources(task, sum(len(group.ids) for group in found), least) if parts else _all_left(task, len(rows))
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
    """Those of one component, that of the oldest. Naming failures does not make up for sources: anyone who reaches a
    server can do so. What a person has opened again (`ratchet resolve ... retry`) is known from the store."""
    rows = [row for row in await _open_rows(engine, bench) if row["id"] in set(wanted)]
    rows = [row for row in rows if row["component"] == rows[0]["component"]]
    ids = [row["id"] for row in rows]
    least = engine.settings.min_sources
    if rows and not _may_start(bench, rows, least) and not await _are_opened_again(engine, rows):
        return Choice([], ids, _too_few_sources(bench.task.name, len(ids), least))
    return Choice(await _representatives(engine, rows, ids), ids, "none of the failures that were asked for is open")


async def _are_opened_again(engine: Engine, rows: list[FailureRow]) -> bool:
    cycles = {str(row["cycle_id"]) for row in rows}
    return cycles == await engine.store.reviews.with_retry(sorted(cycles))


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


def _too_few_sources(task: str, count: int, least: int) -> str:
    return (
        f"{quantity(count, 'open failure')} of {task} waiting; a cycle needs failures of one kind "
        f"from {least} distinct sources (RATCHET_MIN_SOURCES)"
    )


def _all_left(task: str, count: int) -> str:
    return f"all open failures of {task} ({count}) are left to the held-out cases ([holdout] in its task.toml)"
