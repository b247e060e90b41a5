"""`ratchet inbox`, `show`, `approve`, `reject`: what waits for a person. `resolve` has a file of its own."""

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from ratchet.errors import ConfigurationError
from ratchet.strict import parse_json, read_text
from service.commands.options import AsJson, CycleId, Reason, Reviewer
from service.console import out, percent, print_json, progress
from service.loop import answer
from service.report import failed_runs, next_steps, review
from service.session import Session, open_session


def inbox(as_json: AsJson = False) -> None:
    """List what waits for a person: changes to approve, and failures that could not be fixed automatically."""
    items = asyncio.run(_inbox())
    if as_json:
        print_json({"items": items})
        return
    if not items:
        out.print("nothing waits")
        return
    table = Table()
    for name in ("id", "what", "task", "cause", "verdict", "held-out success", "since"):
        table.add_column(name)
    for item in items:
        numbers = "" if item["before"] is None else f"{percent(item['before'])} -> {percent(item['after'])}"
        table.add_row(
            item["id"], item["what"], item["task"], item["category"], item["verdict"], numbers, item["created_at"][:16]
        )
    out.print(table)


async def _inbox() -> list[dict[str, Any]]:
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


def show(cycle_id: CycleId, as_json: AsJson = False) -> None:
    """Show a cycle whole: cause and evidence, change, numbers, cases won and lost, what else was tried, what it cost,
    the failures.

    For an item of the review queue also its answers, or what can be answered.
    """
    row = asyncio.run(_show(cycle_id))
    if as_json:
        print_json(row)
    else:
        out.print(review(row))
        out.print(failed_runs(row["failures"]))
        out.print(next_steps(row), highlight=False, soft_wrap=True)


async def _show(cycle_id: str) -> dict[str, Any]:
    async with open_session() as session:
        return await _cycle(session, cycle_id)


async def _cycle(session: Session, cycle_id: str) -> dict[str, Any]:
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


def approve(
    cycle_id: CycleId,
    prompt_file: Annotated[
        Path | None,
        typer.Option(
            help="Approve your own version instead: a text file with the prompt, or a .json file with all of it."
        ),
    ] = None,
    reviewer: Reviewer = "unknown",
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """Approve a change; it goes live at once. A version of your own is validated first."""
    reply: dict[str, Any] = {"type": "approve", "reviewer": reviewer, "reason": reason}
    if prompt_file is not None:
        text = read_text(prompt_file)
        reply |= {
            "type": "edit",
            "prompt": parse_json(text, prompt_file) if prompt_file.suffix == ".json" else text.strip(),
        }
    _answered(cycle_id, reply, as_json)


def reject(
    cycle_id: CycleId,
    feedback: Annotated[str, typer.Option(help="What to do better; another proposal is made then.")] = "",
    reviewer: Reviewer = "unknown",
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """Reject a change; with feedback, another proposal is made (a bounded number of times)."""
    _answered(cycle_id, {"type": "reject", "reviewer": reviewer, "reason": reason, "feedback": feedback}, as_json)


def _answered(cycle_id: str, reply: dict[str, Any], as_json: bool) -> None:
    with progress(f"answering {cycle_id}"):
        outcome = asyncio.run(_answer(cycle_id, reply))
    if as_json:
        print_json(outcome)
    else:
        out.print(Text(f"{outcome['status']}: {outcome['message']}"))
    if outcome["status"] in ("stale", "conflict"):
        raise typer.Exit(1)


async def _answer(cycle_id: str, reply: dict[str, Any]) -> dict[str, Any]:
    async with open_session() as session:
        return await answer(session, cycle_id, reply)
