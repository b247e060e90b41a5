"""What waits for a person, and a cycle with all that belongs to it: for the command and for pages."""

from typing import Any

from ratchet.errors import ConfigurationError
from service.session import Session, open_session


async def waiting_items() -> list[dict[str, Any]]:
    """Changes to approve, then what could not be fixed automatically; each newest first."""
    async with open_session() as session:
        waiting = await session.engine.store.cycles.select(status=("awaiting_approval",))
        reviews = {row["cycle_id"] for row in await session.engine.store.reviews.select()}
        ended = await session.engine.store.cycles.select(status=("escalated", "inconclusive"))
        rows = [(row, "approve") for row in waiting] + [(row, "review") for row in ended if row["id"] in reviews]
        return [_item(row, what) for row, what in rows]


def _item(row: dict[str, Any], what: str) -> dict[str, Any]:
    validation = row["document"].get("validation") or {}
    return {
        "id": row["id"],
        "what": what,
        "task": row["task"],
        "category": row["category"],
        "verdict": row["verdict"],
        "before": validation.get("before", {}).get("rate"),
        "after": validation.get("after", {}).get("rate"),
        "created_at": row["created_at"],
        "message": row["document"].get("message") or validation.get("reason", ""),
    }


async def whole_cycle(session: Session, cycle_id: str) -> dict[str, Any]:
    """The cycle's row with its failures, and its review item where there is one; found by the item's id too."""
    store = session.engine.store
    item = await store.reviews.find(cycle_id)
    row = await store.cycles.get(str(item["cycle_id"]) if item else cycle_id)
    if row is None:
        raise ConfigurationError(f"no cycle {cycle_id!r}; `ratchet inbox` lists what waits")
    failures = await store.failures.of_cycle(row["id"], row["document"].get("failures", []))
    spent = await store.replies.spent_by(row["id"])
    row |= {"failures": failures, "spent": spent.model_dump()}
    if item is None:
        return row | {"review": None}
    answers = item["document"].get("answers", [])
    review_item = {
        "id": item["id"],
        "kind": item["kind"],
        "status": item["status"],
        "answer": answers[-1] if answers and item["status"] != "open" else None,
        "answers": answers,
    }
    return row | {"document": item["document"] | row["document"], "review": review_item}
