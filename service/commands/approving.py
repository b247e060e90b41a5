"""`ratchet inbox`, `show`, `approve`, `reject`: what waits for a person. `resolve` has a file of its own."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table
from rich.text import Text

from ratchet.concurrency import run_main
from ratchet.config.files import parse_json, read_text
from service.commands.options import AsJson, CycleId, Reason, Reviewer
from service.console import out, percent, print_json, progress
from service.inbox import WholeCycle, waiting_items, whole_cycle
from service.loop import answer
from service.report import failed_runs, next_steps, review
from service.session import open_session


def inbox(as_json: AsJson = False) -> None:
    """List what waits for a person: changes to approve, and failures that could not be fixed automatically."""
    items = run_main(waiting_items())
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
    for item in items:
        for line in item["silent_roles"]:
            out.print(Text(f"{item['id']}: {line}"), soft_wrap=True)


def show(cycle_id: CycleId, as_json: AsJson = False) -> None:
    """Show a cycle whole: cause and evidence, change, numbers, cases won and lost, what else was tried, what it cost,
    the failures.

    For an item of the review queue also its answers, or what can be answered.
    """
    cycle = run_main(_show(cycle_id))
    if as_json:
        print_json(cycle.as_json())
    else:
        out.print(review(cycle))
        out.print(failed_runs(cycle.failures))
        out.print(next_steps(cycle), highlight=False, soft_wrap=True)


async def _show(cycle_id: str) -> WholeCycle:
    async with open_session() as session:
        return await whole_cycle(session, cycle_id)


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
    _show_answer(cycle_id, reply, as_json)


def reject(
    cycle_id: CycleId,
    feedback: Annotated[str, typer.Option(help="What to do better; another proposal is made then.")] = "",
    reviewer: Reviewer = "unknown",
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """Reject a change; with feedback, another proposal is made (a bounded number of times)."""
    _show_answer(cycle_id, {"type": "reject", "reviewer": reviewer, "reason": reason, "feedback": feedback}, as_json)


def _show_answer(cycle_id: str, reply: dict[str, Any], as_json: bool) -> None:
    with progress(f"answering {cycle_id}"):
        outcome = run_main(_answer(cycle_id, reply))
    if as_json:
        print_json(outcome)
    else:
        out.print(Text(f"{outcome['status']}: {outcome['message']}"))
    if outcome["status"] in ("stale", "conflict"):
        raise typer.Exit(1)


async def _answer(cycle_id: str, reply: dict[str, Any]) -> dict[str, Any]:
    async with open_session() as session:
        return await answer(session, cycle_id, reply)
