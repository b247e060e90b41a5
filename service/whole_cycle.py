"""A cycle with all that belongs to it: for the command and for pages."""

from typing import Any, NamedTuple, TypedDict

from ratchet.errors import ConfigurationError
from ratchet.records import Spent
from ratchet.store.documents import CycleDocument, Dump, ReviewAnswer, ReviewDocument
from ratchet.store.rows import CycleRow, FailureRow, ReviewRow
from ratchet.store.statuses import CycleStatus, ReviewKind, ReviewStatus
from service.session import Session


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

    @property
    def answer_id(self) -> str:
        """What an answer has to name: the cycle for its first proposal, else the proposal that is shown."""
        proposal = str((self.document.get("proposal") or {}).get("id", ""))
        return self.id if proposal in ("", f"{self.id}-P1") else proposal

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
