"""An item of the review queue with all that an answer needs: the cycle it came from, and its failures."""

from typing import NamedTuple, NotRequired, TypedDict, cast

from ratchet.engine import Engine
from ratchet.errors import ConfigurationError
from ratchet.store import now
from ratchet.store.documents import ReviewAnswer
from ratchet.store.rows import CaseRow, CycleRow, FailureRow, ReviewRow
from ratchet.store.statuses import WAITING, AnswerKind, ReviewStatus
from ratchet.tasks import Expected


class ReviewItem(NamedTuple):
    """A review item as it was read."""

    row: ReviewRow
    cycle: CycleRow
    failures: list[FailureRow]

    @property
    def id(self) -> str:
        """The id that people see: the cycle's."""
        return self.cycle["id"]

    @property
    def left(self) -> list[FailureRow]:
        """The failures that still wait for an answer, and that no later cycle has taken up."""
        return [failure for failure in self.failures if failure["status"] in WAITING]

    def ids_left(self) -> list[str]:
        """Ids of the failures that still wait for an answer."""
        return [failure["id"] for failure in self.left]


class ReviewRequest(NamedTuple):
    """An answer as a person gave it."""

    answer: AnswerKind
    reviewer: str = "unknown"
    reason: str = ""
    expected: Expected = None
    failure: str | None = None
    hint: str = ""

    def document(self) -> ReviewAnswer:
        """The answer as the item keeps it."""
        given = cast(ReviewAnswer, {name: value for name, value in self._asdict().items() if value})
        return {**given, "reason": self.reason, "at": now()}


class CycleRequest(TypedDict):
    """What the graph `improve` is invoked with."""

    task: str
    failures: list[str]
    hint: NotRequired[str]


class ReviewResult(NamedTuple):
    """What an answer did."""

    id: str
    task: str
    status: ReviewStatus
    """The item's status now; ``open`` while failures are left to correct."""
    message: str
    left: list[str] = []
    """Failures that still wait, where the item is open."""
    case: CaseRow | None = None
    """``correct``: the new training case."""
    version: int | None = None
    """``force``: the version that is active now."""
    improve: CycleRequest | None = None
    """``retry``: what to invoke the graph `improve` with, in a thread of its own."""


async def find_item(engine: Engine, item_id: str) -> ReviewItem:
    """The item of that id, or of the cycle of that id.

    Raises:
        ConfigurationError: there is none.
    """
    row = await engine.store.reviews.find(item_id)
    cycle = await engine.store.cycles.get(str(row["cycle_id"]) if row else item_id)
    if row is None or cycle is None:
        if cycle and cycle["status"] == "awaiting_approval":
            raise ConfigurationError(f"{item_id} waits for its approval: `ratchet approve` or `ratchet reject` it")
        raise ConfigurationError(f"no review item {item_id!r}; `ratchet inbox` lists what waits")
    return ReviewItem(row, cycle, await engine.store.failures.of_cycle(cycle["id"], [], limit=100_000))
