"""Correct: not the agent was wrong but what was expected of it; the right expectation becomes a training case."""

from functools import partial

from sqlalchemy import Connection

from ratchet.counting import quantity
from ratchet.engine import Engine
from ratchet.errors import AlreadyDecidedError, ConfigurationError
from ratchet.ledger.audit import append
from ratchet.resolving.item import ReviewItem, ReviewRequest, ReviewResult, find_item
from ratchet.resolving.new_case import CaseRequest, new_case, note_case
from ratchet.store import Effect
from ratchet.store.cases import insert_case
from ratchet.store.documents import ReviewAnswer
from ratchet.store.failures import count_waiting, mark_failures
from ratchet.store.reviews import answer_item, set_item_status
from ratchet.store.rows import CaseRow, FailureRow
from ratchet.store.statuses import WAITING
from ratchet.text import normal_form


async def correct(engine: Engine, item: ReviewItem, request: ReviewRequest) -> ReviewResult:
    """Correct what is expected for one of the item's failures, and for those with the same input.

    The item stays open while failures are left that nobody has corrected.

    Raises:
        ConfigurationError: it is not clear which failure is meant, or nothing would be corrected.
        AlreadyDecidedError: the failure was answered before.
    """
    failure = _meant(item, request)
    if request.expected is None:
        raise ConfigurationError("say what is expected instead, with --expected or --expected-json")
    if request.expected == failure["bundle"]["expected"]:
        raise ConfigurationError(f"{failure['id']} expects exactly that already; nothing was corrected")
    row, effects = await _case(engine, item, request, failure)
    same = [other["id"] for other in item.left if _form(other) == _form(failure)]
    answer: ReviewAnswer = {**request.document(), "failure": failure["id"], "failures": same, "case": row["id"]}
    await engine.store.transact(
        [
            partial(answer_item, review_id=item.row["id"], answer=answer),
            partial(_mark, ids=same),
            *effects,
            partial(_close_if_done, item=item),
            partial(
                append, actor=request.reviewer, action="correct", task=item.row["task"], subject=item.id,
                reason=request.reason, failures=same, case=row["id"],
            ),
        ]
    )  # fmt: skip
    found = await engine.store.reviews.find(item.row["id"])
    left = [failure_id for failure_id in item.ids_left() if failure_id not in same]
    message = f"{', '.join(same)} corrected, the training case {row['id']} says what is expected"
    if left:
        message += f"; {quantity(len(left), 'failure')} left"
    return ReviewResult(item.id, item.row["task"], (found or item.row)["status"], message, left=left, case=row)


def _meant(item: ReviewItem, request: ReviewRequest) -> FailureRow:
    wanted = [failure for failure in item.failures if request.failure in (None, failure["id"])]
    if not wanted:
        raise ConfigurationError(f"{item.id} has no failure {request.failure!r}; `ratchet show {item.id}` lists them")
    open_ones = [failure for failure in wanted if failure["status"] in WAITING]
    if not open_ones:
        raise AlreadyDecidedError(f"{wanted[0]['id']} is {wanted[0]['status']} already")
    if len({_form(failure) for failure in open_ones}) > 1:
        named = ", ".join(failure["id"] for failure in open_ones[:10])
        raise ConfigurationError(f"{item.id} has several failures, name one with --failure: {named}")
    return open_ones[0]


def _form(failure: FailureRow) -> str:
    return normal_form(failure["bundle"]["input"])


async def _case(
    engine: Engine, item: ReviewItem, request: ReviewRequest, failure: FailureRow
) -> tuple[CaseRow, list[Effect]]:
    """The case, and what it takes to add it: nothing where the same was approved before."""
    task = item.row["task"]
    for row in await engine.store.cases.of_task(task):
        if normal_form(row["input"]) == _form(failure) and row["expected"] == request.expected:
            return row, []
    wanted = CaseRequest(task=task, expected=request.expected, reviewer=request.reviewer, reason=request.reason)
    try:
        row = await new_case(engine, await engine.workbench(task), wanted, failure)
    except ConfigurationError:
        _meant(await find_item(engine, item.row["id"]), request)  # another answer may have been faster: then say that
        raise
    return row, [partial(insert_case, row=row), note_case(row, request.reason)]


def _mark(connection: Connection, ids: list[str]) -> None:
    if mark_failures(connection, ids, "corrected", was=WAITING) != len(ids):
        raise AlreadyDecidedError(f"{', '.join(ids)} was answered at the same moment; look again")


def _close_if_done(connection: Connection, item: ReviewItem) -> None:
    if not count_waiting(connection, item.id):
        set_item_status(connection, item.row["id"], "corrected")
