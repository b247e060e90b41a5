"""Retry: another cycle works on the item's failures, and a person's hint tells it what to try."""

from functools import partial

from ratchet.counting import quantity
from ratchet.engine import Engine
from ratchet.errors import RefusalError
from ratchet.ledger.audit import append
from ratchet.resolving.item import CycleRequest, ReviewItem, ReviewRequest, ReviewResult
from ratchet.store.failures import mark_of_cycle
from ratchet.store.reviews import answer_item
from ratchet.store.statuses import OPEN_CYCLE, WAITING


async def retry(engine: Engine, item: ReviewItem, request: ReviewRequest) -> ReviewResult:
    """Close the item and open its failures again; `improve` of the result is what the next cycle is started with.

    Raises:
        RefusalError: no failure is left, or another cycle is open for the same component.
    """
    task, ids = item.row["task"], item.ids_left()
    if not ids:
        raise RefusalError(f"{item.id} has no failure left to retry; dismiss it")
    components = {item.cycle["component"], *(failure["component"] for failure in item.left)}
    for row in await engine.store.cycles.select(task=task, status=OPEN_CYCLE):
        if row["component"] in components:
            raise RefusalError(f"cycle {row['id']} is open ({row['status']}) for the same component; answer it first")
    await engine.store.transact(
        [
            partial(answer_item, review_id=item.row["id"], answer=request.document(), status="retried"),
            partial(mark_of_cycle, cycle_id=item.id, status="open", was=WAITING),
            partial(
                append, actor=request.reviewer, action="retry", task=task, subject=item.id,
                reason=request.reason, hint=request.hint, failures=ids,
            ),
        ]
    )  # fmt: skip
    arguments: CycleRequest = {"task": task, "failures": ids}
    if request.hint:
        arguments["hint"] = request.hint
    return ReviewResult(item.id, task, "retried", f"{quantity(len(ids), 'failure')} open again", improve=arguments)
