"""Dismiss: nothing is to be done about the item and its failures."""

from functools import partial

from ratchet.engine import Engine
from ratchet.ledger.audit import append
from ratchet.resolving.item import ReviewItem, ReviewRequest, ReviewResult
from ratchet.store.failures import mark_of_cycle
from ratchet.store.reviews import answer_item
from ratchet.store.statuses import WAITING


async def dismiss(engine: Engine, item: ReviewItem, request: ReviewRequest) -> ReviewResult:
    """Close the item, and its failures with it."""
    ids = item.ids_left()
    await engine.store.transact(
        [
            partial(answer_item, review_id=item.row["id"], answer=request.document(), status="dismissed"),
            partial(mark_of_cycle, cycle_id=item.id, status="dismissed", was=WAITING),
            partial(
                append, actor=request.reviewer, action="dismiss", task=item.row["task"], subject=item.id,
                reason=request.reason, failures=ids,
            ),
        ]
    )  # fmt: skip
    return ReviewResult(item.id, item.row["task"], "dismissed", f"closed, failures with it: {len(ids)}")
