"""The groups of a task's stored failures, kept up to date."""

from collections.abc import Set
from datetime import UTC, datetime, timedelta

from ratchet.concurrency import to_thread
from ratchet.grouping.assigning import assign
from ratchet.grouping.groups import FailureGroup, form_groups
from ratchet.store import Store
from ratchet.store.rows import FailureRow

REMEMBERED = timedelta(days=30)
"""Failures in a cycle or handed over are members that new ones may join for this long."""


async def regroup(store: Store, task: str, rows: list[FailureRow] | None = None) -> list[FailureGroup]:
    """Give failures their groups, store these, and return the groups of the given rows (default: the open ones).

    A failure that has a group keeps it, also where another process has just given it one.
    """
    given = await store.failures.of_task(task, "open") if rows is None else rows
    known = {row["id"]: row for row in [*await _remembered_rows(store, task), *given]}
    keys = await to_thread(assign, known.values())
    moved = {failure: key for failure, key in keys.items() if key != known[failure]["group_key"]}
    if moved:
        await store.failures.regroup(moved)
    return await to_thread(form_groups, [row | {"group_key": keys[row["id"]]} for row in given])


async def current_groups(store: Store, task: str, hidden_inputs: Set[str]) -> list[FailureGroup]:
    """Groups of the open failures that a cycle may work on, largest first: none on an input that must stay unseen.

    `hidden_inputs` are without outer white space.
    """
    rows = await store.failures.of_task(task, "open")
    return await regroup(store, task, [row for row in rows if row["bundle"]["input"].strip() not in hidden_inputs])


async def _remembered_rows(store: Store, task: str) -> list[FailureRow]:
    since = (datetime.now(UTC) - REMEMBERED).isoformat()
    rows = [row for status in ("in_cycle", "escalated") for row in await store.failures.of_task(task, status)]
    return [row for row in rows if row["created_at"] >= since]
