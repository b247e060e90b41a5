"""`ratchet approve` and `reject`: the answers to an approval request. `resolve` has a file of its own."""

from pathlib import Path
from typing import Annotated, Any

import typer

from ratchet.concurrency import run_main
from ratchet.config.files import parse_json, read_text
from service.commands.options import AsJson, CycleId, FinerCodes, Reason, Reviewer
from service.console import cell, out, print_json, progress
from service.exit_codes import told_code
from service.ids import whole_id
from service.loop import answer
from service.session import open_session


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
    exit_code: FinerCodes = False,
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
    _show_answer(cycle_id, reply, exit_code, as_json)


def reject(
    cycle_id: CycleId,
    feedback: Annotated[str, typer.Option(help="What to do better; another proposal is made then.")] = "",
    reviewer: Reviewer = "unknown",
    reason: Reason = "",
    exit_code: FinerCodes = False,
    as_json: AsJson = False,
) -> None:
    """Reject a change; with feedback, another proposal is made (a bounded number of times)."""
    reply = {"type": "reject", "reviewer": reviewer, "reason": reason, "feedback": feedback}
    _show_answer(cycle_id, reply, exit_code, as_json)


def _show_answer(cycle_id: str, reply: dict[str, Any], finer: bool, as_json: bool) -> None:
    with progress(
        f"answering {cycle_id}", f"an answer that was taken stands; `ratchet show {cycle_id}` says how it is"
    ):
        outcome = run_main(_answer(cycle_id, reply))
    if as_json:
        print_json(outcome)
    else:
        out.print(cell(f"{outcome['status']}: {outcome['message']}"))
    raise typer.Exit(told_code(outcome["status"], finer))


async def _answer(given: str, reply: dict[str, Any]) -> dict[str, Any]:
    async with open_session() as session:
        return await answer(session, await whole_id(session.engine.store, given, "cycle"), reply)
