"""`ratchet improve`: one cycle, up to its approval request or its end."""

from typing import Annotated, Any, NamedTuple

import typer

from ratchet.concurrency import run_main
from ratchet.counting import quantity
from ratchet.errors import RatchetError
from service.commands.options import AllTasks, AsJson, FinerCodes, TaskOrAll
from service.console import Tell, cell, err, one_line, out, print_json, progress, words
from service.exit_codes import ExitCode, code_of_error, most_urgent, told_code
from service.loop import CycleResult, RunStatus
from service.loop import improve as run_cycle
from service.report import review
from service.session import Session, chosen_tasks, open_session
from service.whole_cycle import WholeCycle, whole_cycle

NEXT: dict[RunStatus, str] = {
    "awaiting_approval": "ratchet approve {id}   (or: ratchet reject {id} --feedback '...')",
    "escalated": "ratchet show {id}",
    "inconclusive": "ratchet show {id}",
}


class Improved(NamedTuple):
    """How the cycle of one task ended, or the error that ended it."""

    task: str
    result: CycleResult | None
    cycle: WholeCycle | None = None
    error: RatchetError | None = None

    def code(self, finer: bool) -> ExitCode:
        """What the exit code would be, were it the only one."""
        if self.error is not None:
            return code_of_error(self.error)
        return told_code(self.result.status, finer) if self.result else ExitCode.DONE

    def as_json(self) -> dict[str, Any]:
        """One of the objects that ``improve --all --json`` prints."""
        told = self.result.as_json() if self.result else {"status": "failed", "message": str(self.error)}
        return {"task": self.task, **told}


def improve(
    task: TaskOrAll = None,
    collect: Annotated[
        bool, typer.Option(help="Where no failure is stored, serve the training cases first to find some.")
    ] = True,
    every: AllTasks = False,
    exit_code: FinerCodes = False,
    as_json: AsJson = False,
) -> None:
    """Find the cause of the largest group of failures, try fixes, prove the best one, and ask for approval.

    With --all the error of one task does not keep the others from their cycle. Exit code 1 where training cases were
    served and none of them could be scored.
    """
    again = f"ratchet improve {task or '--all'}"
    with progress(f"improve {task or 'all'}", f"what was paid for is kept, `{again}` goes on from there") as tell:
        found = run_main(_improve(task, every, collect, tell))
    if as_json:
        print_json({"tasks": [one.as_json() for one in found]} if every else _only(found).as_json())
    else:
        for one in found:
            _print(one)
    raise typer.Exit(most_urgent(one.code(exit_code) for one in found))


def _only(found: list[Improved]) -> CycleResult:
    (one,) = found
    if one.result is None:
        raise one.error or RatchetError("the cycle has no result")
    return one.result


def _print(one: Improved) -> None:
    if one.result:
        print_result(one.result, one.cycle)
    else:
        err.print(words(("error:", "bold red"), one_line(f" {one.task}: {one.error}")), soft_wrap=True)


def print_result(result: CycleResult, cycle: WholeCycle | None) -> None:
    """Show how a run of a cycle ended: the cycle whole, where there is one, and what to do next."""
    if cycle:
        out.print(review(cycle))
    out.print(words((result.status, "bold"), f": {result.message} ({quantity(result.calls, 'model call')})"))
    if result.cycle_id and result.status in NEXT:
        name = cycle.answer_id if cycle else result.cycle_id
        out.print(cell("next: " + NEXT[result.status].format(id=name)), soft_wrap=True)


async def _improve(task: str | None, every: bool, collect: bool, tell: Tell) -> list[Improved]:
    async with open_session() as session:
        found = []
        for name in await chosen_tasks(session, task, every):
            try:
                found.append(await _improve_task(session, name, collect, tell))
            except RatchetError as error:
                if not every:
                    raise
                found.append(Improved(name, None, error=error))
        return found


async def _improve_task(session: Session, task: str, collect: bool, tell: Tell) -> Improved:
    result = await run_cycle(session, task, tell, collect)
    return Improved(task, result, await whole_cycle(session, result.cycle_id) if result.cycle_id else None)
