"""`ratchet improve`: one cycle, up to its approval request or its end."""

from typing import Annotated

import typer
from rich.text import Text

from ratchet.concurrency import run_main
from ratchet.counting import quantity
from service.commands.options import AsJson, TaskName
from service.console import Tell, out, print_json, progress
from service.inbox import WholeCycle, whole_cycle
from service.loop import CycleResult, RunStatus
from service.loop import improve as run_cycle
from service.report import review
from service.session import open_session

NEXT: dict[RunStatus, str] = {
    "awaiting_approval": "ratchet approve {id}   (or: ratchet reject {id} --feedback '...')",
    "escalated": "ratchet show {id}",
    "inconclusive": "ratchet show {id}",
}


def improve(
    task: TaskName,
    collect: Annotated[
        bool, typer.Option(help="Where no failure is stored, serve the training cases first to find some.")
    ] = True,
    as_json: AsJson = False,
) -> None:
    """Find the cause of the largest group of failures, try fixes, prove the best one, and ask for approval."""
    with progress(f"improve {task}") as tell:
        result, cycle = run_main(_improve(task, collect, tell))
    if as_json:
        print_json(result.as_json())
        return
    print_result(result, cycle)


def print_result(result: CycleResult, cycle: WholeCycle | None) -> None:
    """Show how a run of a cycle ended: the cycle whole, where there is one, and what to do next."""
    if cycle:
        out.print(review(cycle))
    out.print(Text.assemble((result.status, "bold"), f": {result.message} ({quantity(result.calls, 'model call')})"))
    if result.cycle_id and result.status in NEXT:
        out.print("next: " + NEXT[result.status].format(id=result.cycle_id), highlight=False)


async def _improve(task: str, collect: bool, tell: Tell) -> tuple[CycleResult, WholeCycle | None]:
    async with open_session() as session:
        result = await run_cycle(session, task, tell, collect)
        return result, await whole_cycle(session, result.cycle_id) if result.cycle_id else None
