"""`ratchet try`: a person's own edit of a prompts file, proven before it is merged."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Group, RenderableType

from ratchet.concurrency import run_main
from ratchet.cycles.try_edit import Tried, TryStatus, prompts_of_task, try_edit
from ratchet.prompting import load_prompts
from service.commands.options import AsJson, Reviewer, TaskName
from service.console import Tell, cell, out, print_json, progress, words
from service.exit_codes import ExitCode
from service.report import differences, finding, prompt_change
from service.session import open_session

CODES: dict[TryStatus, ExitCode] = {
    "proven": ExitCode.DONE,
    "not_proven": ExitCode.NOT_PROVEN,
    "worse": ExitCode.NO,
    "vetoed": ExitCode.NO,
    "unchanged": ExitCode.NOTHING_TO_DO,
}


def try_file(
    task: TaskName,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The prompts file with the edit.")],
    against: Annotated[
        Path | None,
        typer.Option(help="Compare with this prompts file instead of the one in force.", show_default=False),
    ] = None,
    reviewer: Reviewer = "unknown",
    as_json: AsJson = False,
) -> None:
    """Prove an edit of a prompts file on the held-out cases, against the one in force. Nothing is applied.

    For pull requests: exit code 0 proven, 1 worse or vetoed, 4 no difference, 5 not proven either way. Tries have a
    count of their own: each makes the next try of another edit harder to prove, and no cycle's change.
    """
    kept = f"what was paid for is kept, `ratchet try {task} {file}` goes on from there"
    with progress(f"try {file}", kept) as tell:
        tried = run_main(_try(task, file, against, reviewer, tell))
    print_json(_as_json(task, tried)) if as_json else out.print(_report(task, tried))
    raise typer.Exit(CODES[tried.status])


async def _try(task: str, file: Path, against: Path | None, reviewer: str, tell: Tell) -> Tried:
    async with open_session() as session:
        bench = await session.engine.workbench(task)
        edited = prompts_of_task(load_prompts(file), bench.task, file)
        if against is not None:
            bench = replace(bench, prompts=prompts_of_task(load_prompts(against), bench.task, against))
        return await try_edit(session.engine, bench, edited, reviewer, lambda done, total: tell(done=done, total=total))


def _as_json(task: str, tried: Tried) -> dict[str, Any]:
    return {
        "task": task,
        "status": tried.status,
        "components": list(tried.after),
        "test": tried.test_id or None,
        "level": tried.level,
        "validation": tried.validation.model_dump(mode="json"),
    }


def _report(task: str, tried: Tried) -> RenderableType:
    parts: list[RenderableType] = [] if tried.level is None else differences(tried.validation)
    for name, after in tried.after.items():
        parts.append(prompt_change(tried.before[name], after, f" of {name}"))
    parts.append(cell(tried.validation.reason) if tried.level is None else finding(tried.validation))
    parts.append(words((tried.status, "bold"), f": {_meaning(task, tried)}"))
    return Group(*(piece for part in parts for piece in (part, "")))


def _meaning(task: str, tried: Tried) -> str:
    if tried.level is None:
        return "no held-out case was looked at and nothing was applied"
    return (
        f"nothing was applied. This is test {tried.test_id} on the count of tries of {task}, at level "
        f"{tried.level:.3g}; the next try of another edit needs more, the changes of cycles do not"
    )
