"""What waits for a person, and a cycle with all that belongs to it: for the command and for pages."""

from typing import Any, NamedTuple

from ratchet.errors import ConfigurationError
from ratchet.records import Spent
from ratchet.store.cycles import CycleRow
from ratchet.store.reviews import ReviewRow
from ratchet.store.runs import FailureRow
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


class WholeCycle(NamedTuple):
    """A cycle with all that is shown of it. Every command that shows one loads it with `whole_cycle`."""

    row: CycleRow
    document: dict[str, Any]
    """The cycle's document, with what its review item holds besides."""
    failures: list[FailureRow]
    spent: Spent
    review: dict[str, Any] | None
    """Its review item where there is one: id, kind, status, answer, answers."""

    @property
    def id(self) -> str:
        """The id that people see."""
        return str(self.row["id"])

    @property
    def status(self) -> str:
        """Where the cycle stands."""
        return str(self.row["status"])

    def as_json(self) -> dict[str, Any]:
        """The object that ``show --json`` prints."""
        more = {"document": self.document, "failures": self.failures, "spent": self.spent.model_dump()}
        return self.row | more | {"review": self.review}


async def whole_cycle(session: Session, cycle_id: str) -> WholeCycle:
    """The cycle of that id, or of the review item of that id.

    Raises:
        ConfigurationError: there is none.
    """
    store = session.engine.store
    item = await store.reviews.find(cycle_id)
    row = await store.cycles.get(str(item["cycle_id"]) if item else cycle_id)
    if row is None:
        raise ConfigurationError(f"no cycle {cycle_id!r}; `ratchet inbox` lists what waits")
    return WholeCycle(
        row=row,
        document=(item["document"] if item else {}) | row["document"],
        failures=await store.failures.of_cycle(row["id"], row["document"].get("failures", [])),
        spent=await store.replies.spent_by(row["id"]),
        review=_review(item) if item else None,
    )


def _review(item: ReviewRow) -> dict[str, Any]:
    answers = item["document"].get("answers", [])
    return {
        "id": item["id"],
        "kind": item["kind"],
        "status": item["status"],
        "answer": answers[-1] if answers and item["status"] != "open" else None,
        "answers": answers,
    }
