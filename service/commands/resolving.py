"""`ratchet resolve`: a person's answer to what could not be fixed automatically."""

from typing import Annotated, Any, NamedTuple

import typer

from ratchet.concurrency import run_main
from ratchet.resolving import AnswerKind, ReviewResult, resolve_item
from service.commands import options
from service.commands.cases import given_expected
from service.commands.improving import print_result
from service.commands.options import AsJson, CycleId, FinerCodes, Reason, Reviewer
from service.console import Tell, cell, out, print_json, progress
from service.exit_codes import told_code
from service.ids import whole_id
from service.loop import CycleResult, retry
from service.session import open_session
from service.whole_cycle import WholeCycle, whole_cycle


def resolve(
    cycle_id: CycleId,
    answer: Annotated[AnswerKind, typer.Argument(help="What is to be done.", show_default=False)],
    expected: options.Expected = None,
    expected_json: options.ExpectedJson = None,
    failure: Annotated[
        str | None, typer.Option(help="correct: which failure (F-...), where the item has several.")
    ] = None,
    hint: Annotated[str, typer.Option(help="retry: what to try; it goes to the model that writes proposals.")] = "",
    reviewer: Reviewer = "unknown",
    reason: Reason = "",
    exit_code: FinerCodes = False,
    as_json: AsJson = False,
) -> None:
    """Answer an item of the review queue.

    dismiss: nothing is to be done. correct: something else was expected, which becomes a training case. retry: try once
    more, with a hint. force: the change that was not proven goes live; needs a reason.
    """
    given: dict[str, Any] = {
        "expected": given_expected(expected, expected_json),
        "failure": failure,
        "hint": hint,
        "reviewer": reviewer,
        "reason": reason,
    }
    kept = f"an answer that was taken stands; `ratchet show {cycle_id}` says how it is"
    with progress(f"{answer} {cycle_id}", kept) as tell:
        resolved = run_main(_resolve(cycle_id, answer, given, tell))
    result, retried = resolved.result, resolved.retried
    if as_json:
        print_json({**result._asdict(), "cycle": retried.as_json() if retried else None})
    else:
        out.print(cell(f"{result.status}: {result.message}"))
    if retried:
        if not as_json:
            print_result(retried, resolved.cycle)
        raise typer.Exit(told_code(retried.status, exit_code))


class Resolved(NamedTuple):
    """What an answer did; after `retry` also how the new cycle ended."""

    result: ReviewResult
    retried: CycleResult | None = None
    cycle: WholeCycle | None = None


async def _resolve(item_id: str, answer: AnswerKind, given: dict[str, Any], tell: Tell) -> Resolved:
    async with open_session() as session:
        store = session.engine.store
        whole = await whole_id(store, item_id, "cycle", "review")
        if given["failure"]:
            given |= {"failure": await whole_id(store, given["failure"], "failure")}
        result = await resolve_item(session.engine, whole, answer, **given)
        if result.improve is None:
            return Resolved(result)
        retried = await retry(session, result.improve, tell)
        cycle = await whole_cycle(session, retried.cycle_id) if retried.cycle_id else None
        return Resolved(result, retried, cycle)
