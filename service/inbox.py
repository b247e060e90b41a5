"""What waits for a person: for the command and for pages. It is looked up often, so that only the store is opened."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal, TypedDict

from ratchet.concurrency import to_thread
from ratchet.config.settings import Settings
from ratchet.cycles.silent import silent_roles, with_silent_roles
from ratchet.records import Category, Verdict
from ratchet.store import Database, Store
from ratchet.store.documents import Dump
from ratchet.store.rows import CycleRow


class InboxItem(TypedDict):
    """A line of the inbox."""

    id: str
    """The cycle's."""
    what: Literal["approve", "review"]
    task: str
    category: Category | None
    verdict: Verdict | None
    before: float | None
    """Held-out success; None where nothing was measured."""
    after: float | None
    created_at: str
    message: str
    silent_roles: list[str]
    """A line for each role none of whose requests got a usable answer."""


async def waiting_items() -> list[InboxItem]:
    """Changes to approve, then what could not be fixed automatically; each newest first.

    An open review is left out where nobody has to answer it: later cycles have taken up its failures, or people have
    made cases of them.
    """
    async with _open_store(Settings.load()) as store:
        waiting = await store.cycles.select(status=("awaiting_approval",))
        reviews = {row["cycle_id"] for row in await store.reviews.select()} & await store.failures.cycles_waiting()
        ended = await store.cycles.select(status=("escalated", "inconclusive"))
        to_review = [_item(row, "review") for row in ended if row["id"] in reviews]
        return [_item(row, "approve") for row in waiting] + to_review


@asynccontextmanager
async def _open_store(settings: Settings) -> AsyncIterator[Store]:
    database = await to_thread(lambda: Database(settings.application_url()))
    try:
        yield Store(database)
    finally:
        await to_thread(database.close)


def _item(row: CycleRow, what: Literal["approve", "review"]) -> InboxItem:
    validation: Dump = row["document"].get("validation") or {}
    return {
        "id": row["id"],
        "what": what,
        "task": row["task"],
        "category": row["category"],
        "verdict": row["verdict"],
        "before": _rate(validation.get("before")),
        "after": _rate(validation.get("after")),
        "created_at": row["created_at"],
        "message": with_silent_roles(row["document"].get("message") or validation.get("reason", ""), row["document"]),
        "silent_roles": list(silent_roles(row["document"]).values()),
    }


def _rate(measure: Dump | None) -> float | None:
    return float(measure["rate"]) if measure and measure["n"] else None
