"""What waits for a person, and a cycle with all that belongs to it: for the command and for pages."""

from typing import Any, Literal, NamedTuple, TypedDict

from ratchet.cycles.spending import silent_roles, with_silent_roles
from ratchet.errors import ConfigurationError
from ratchet.records import Category, Spent, Verdict
from ratchet.store.documents import CycleDocument, Dump, ReviewAnswer, ReviewDocument
from ratchet.store.rows import CycleRow, FailureRow, ReviewRow
from ratchet.store.statuses import CycleStatus, ReviewKind, ReviewStatus
from service.session import Session, open_session


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
    async with open_session() as session:
        store = session.engine.store
        waiting = await store.cycles.select(status=("awaiting_approval",))
        reviews = {row["cycle_id"] for row in await store.reviews.select()} & await store.failures.cycles_waiting()
        ended = await store.cycles.select(status=("escalated", "inconclusive"))
        to_review = [_item(row, "review") for row in ended if row["id"] in reviews]
        return [_item(row, "approve") for row in waiting] + to_review


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


class WholeDocument(CycleDocument, total=False):
    """A cycle's document, with what its review item holds besides."""

    refused: list[Dump]
    proposed: list[Dump]
    answers: list[ReviewAnswer]


class ShownReview(TypedDict):
    """A review item beside its cycle."""

    id: str
    kind: ReviewKind
    status: ReviewStatus
    answer: ReviewAnswer | None
    """The one that closed it."""
    answers: list[ReviewAnswer]


class WholeCycle(NamedTuple):
    """A cycle with all that is shown of it. Every command that shows one loads it with `whole_cycle`."""

    row: CycleRow
    document: WholeDocument
    failures: list[FailureRow]
    spent: Spent
    review: ShownReview | None
    """Its review item where there is one."""

    @property
    def id(self) -> str:
        """The id that people see."""
        return self.row["id"]

    @property
    def status(self) -> CycleStatus:
        """Where the cycle stands."""
        return self.row["status"]

    def as_json(self) -> dict[str, Any]:
        """The object that ``show --json`` prints."""
        more = {"document": self.document, "failures": self.failures, "spent": self.spent.model_dump()}
        return {**self.row, **more, "review": self.review}


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
    reviewed: ReviewDocument = item["document"] if item else {}
    return WholeCycle(
        row=row,
        document={**reviewed, **row["document"]},
        failures=await store.failures.of_cycle(row["id"], row["document"].get("failures", [])),
        spent=await store.replies.spent_by(row["id"]),
        review=_review(item) if item else None,
    )


def _review(item: ReviewRow) -> ShownReview:
    answers = item["document"].get("answers", [])
    return {
        "id": item["id"],
        "kind": item["kind"],
        "status": item["status"],
        "answer": answers[-1] if answers and item["status"] != "open" else None,
        "answers": answers,
    }
