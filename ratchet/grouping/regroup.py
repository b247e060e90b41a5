"""The groups of a task's stored failures, kept up to date."""

import logging
from collections.abc import Set
from datetime import UTC, datetime, timedelta

from ratchet.concurrency import to_thread
from ratchet.embedding import Embeddings
from ratchet.errors import RatchetError
from ratchet.grouping.assigning import assign, texts_to_compare
from ratchet.grouping.groups import FailureGroup, form_groups
from ratchet.grouping.wording import Meanings
from ratchet.store import Store
from ratchet.store.rows import FailureRow
from ratchet.text import normal_form

log = logging.getLogger(__name__)

REMEMBERED = timedelta(days=30)
"""Failures in a cycle or handed over are members that new ones may join for this long."""


async def regroup(
    store: Store, task: str, rows: list[FailureRow] | None = None, embeddings: Embeddings | None = None
) -> list[FailureGroup]:
    """Give failures their groups, store these, and return the groups of the given rows (default: the open ones).

    A failure that has a group keeps it, also where another process has just given it one. Failures are compared by
    their words, and by meaning too where there are `embeddings` that answer.
    """
    given = await store.failures.of_task(task, "open") if rows is None else rows
    known = {row["id"]: row for row in [*await _remembered_rows(store, task), *given]}
    keys = await to_thread(assign, known.values(), await _meanings(list(known.values()), embeddings))
    moved = {failure: key for failure, key in keys.items() if key != known[failure]["group_key"]}
    if moved:
        await store.failures.regroup(moved)
    return await to_thread(form_groups, [row | {"group_key": keys[row["id"]]} for row in given])


async def _meanings(rows: list[FailureRow], embeddings: Embeddings | None) -> Meanings | None:
    texts = await to_thread(texts_to_compare, rows) if embeddings else []
    if not embeddings or not texts:
        return None
    try:
        return dict(zip(texts, await embeddings.of(texts), strict=True))
    except RatchetError as error:
        log.warning("failures are compared by their words alone: %s", error)
        return None


async def current_groups(
    store: Store, task: str, hidden_inputs: Set[str], embeddings: Embeddings | None = None
) -> list[FailureGroup]:
    """Groups of the open failures that a cycle may work on, largest first: none on an input that must stay unseen.

    `hidden_inputs` are in normal form.
    """
    rows = await store.failures.of_task(task, "open")
    seen = [row for row in rows if normal_form(row["bundle"]["input"]) not in hidden_inputs]
    return await regroup(store, task, seen, embeddings)


async def _remembered_rows(store: Store, task: str) -> list[FailureRow]:
    since = (datetime.now(UTC) - REMEMBERED).isoformat()
    rows = [row for status in ("in_cycle", "escalated") for row in await store.failures.of_task(task, status)]
    return [row for row in rows if row["created_at"] >= since]
