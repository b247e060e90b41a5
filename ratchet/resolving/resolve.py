"""A person's answer to an item of the review queue."""

from collections.abc import Awaitable, Callable
from typing import get_args

from ratchet.engine import Engine
from ratchet.errors import AlreadyDecidedError, ConfigurationError, RefusalError, StaleBaseError
from ratchet.resolving.correct import correct
from ratchet.resolving.dismiss import dismiss
from ratchet.resolving.force import complete_forced, force
from ratchet.resolving.item import ReviewItem, ReviewRequest, ReviewResult, find_item
from ratchet.resolving.retry import retry
from ratchet.store.statuses import AnswerKind
from ratchet.tasks import Expected

LONGEST_HINT = 4000
"""Characters of a hint, as of a reviewer's feedback."""
_ANSWERS: dict[AnswerKind, Callable[[Engine, ReviewItem, ReviewRequest], Awaitable[ReviewResult]]] = {
    "dismiss": dismiss,
    "correct": correct,
    "retry": retry,
    "force": force,
}


async def resolve_item(
    engine: Engine,
    item_id: str,
    answer: AnswerKind,
    *,
    reviewer: str = "unknown",
    reason: str = "",
    expected: Expected = None,
    failure: str | None = None,
    hint: str = "",
) -> ReviewResult:
    """Answer an item of the review queue, by its own id or its cycle's. Of two answers at once, one counts.

    ``dismiss``: nothing is to be done. ``correct``: something else was expected for `failure`, which has to be named
    where the item has several. What is `expected` becomes a training case, and the item stays open while other failures
    are left. ``retry``: the failures are open again; invoke the graph `improve` with the result's `improve`, which
    carries the `hint`. ``force``: the change that was not proven goes live, for a `reason`. Every answer is audited.

    Raises:
        ConfigurationError: there is no such item, or the answer lacks something; nothing was changed.
        AlreadyDecidedError: the item was answered before.
        RefusalError, StaleBaseError: the answer cannot be followed; the item stays open.
    """
    if answer not in get_args(AnswerKind):
        raise ConfigurationError(f"{answer!r} is no answer; expected one of {', '.join(get_args(AnswerKind))}")
    request = ReviewRequest(answer, reviewer, reason, expected, failure, hint.strip())
    _check_options(request)
    item = await find_item(engine, item_id)
    await complete_forced(engine, item)
    item = await _open_item(engine, item_id)
    try:
        return await _ANSWERS[answer](engine, item, request)
    except (ConfigurationError, RefusalError, StaleBaseError):
        await _open_item(engine, item_id)  # another answer may have been faster, and the cause: then say that
        raise


async def _open_item(engine: Engine, item_id: str) -> ReviewItem:
    item = await find_item(engine, item_id)
    if item.row["status"] != "open":
        raise AlreadyDecidedError(f"review {item.id} is {item.row['status']} already")
    return item


def _check_options(request: ReviewRequest) -> None:
    if request.answer != "correct" and (request.expected is not None or request.failure is not None):
        raise ConfigurationError(f"an expected output and a failure go with correct, not with {request.answer}")
    if request.answer != "retry" and request.hint:
        raise ConfigurationError(f"a hint goes with retry, not with {request.answer}")
    if len(request.hint) > LONGEST_HINT:
        raise ConfigurationError(f"the hint is longer than {LONGEST_HINT} characters")
