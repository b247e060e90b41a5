"""`ratchet failures`: what failed, by group; and the failures as a file that a person can label."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple, get_args

import typer

from ratchet.concurrency import run_main, to_thread
from ratchet.counting import quantity
from ratchet.errors import ConfigurationError
from ratchet.grouping import DayCount, FailureGroup, form_groups, regroup
from ratchet.store.rows import CycleRow, FailureRow
from ratchet.store.statuses import FailureStatus
from ratchet.tasks import load_task
from service.commands.options import AllTasks, AsJson, TaskOrAll
from service.console import Grid, cell, out, print_json, whole, wide
from service.session import Session, chosen_tasks, open_session

_BARS = "▁▂▃▄▅▆▇█"
_FIGURES = "12345678"
_EXAMPLE = 80
"""Characters of an example's input and output that are shown."""


class Found(NamedTuple):
    """Stored failures of a task, their groups, and what cycles have found out about them."""

    task: str
    rows: list[FailureRow]
    groups: list[FailureGroup]
    categories: dict[str, str]
    """What the diagnosis of a finished cycle found for a failure, by the failure's id."""

    def as_json(self) -> dict[str, Any]:
        """The object that ``failures --json`` prints."""
        shown = [group._asdict() | {"trend": [day._asdict() for day in group.trend]} for group in self.groups]
        return {"task": self.task, "n": len(self.rows), "groups": shown, "failures": self.rows}


def failures(
    task: TaskOrAll = None,
    status: Annotated[
        str | None,
        typer.Option(help=f"Only those: {', '.join(get_args(FailureStatus))}. Empty: all."),
    ] = "open",
    export: Annotated[
        Path | None,
        typer.Option(
            help="Write them to this new file, one JSON object a line, with an empty `label` for a person to fill in: "
            "prompt, context or capability.",
            show_default=False,
        ),
    ] = None,
    every: AllTasks = False,
    as_json: AsJson = False,
) -> None:
    """Show stored failures by group, the largest first: what they have in common, how many, since when."""
    if export and every:
        raise ConfigurationError("--export writes the failures of one task; name it instead of --all")
    found = run_main(_failures(task, every, _status(status or "")))
    if export:
        _export(export, found[0])
    if as_json:
        written = {"exported": str(export)} if export else {}
        each = [one.as_json() | written for one in found]
        print_json({"tasks": each} if every else each[0])
    elif export:
        out.print(cell(f"{quantity(len(found[0].rows), 'failure')} in {export}; fill in `label`"))
    else:
        for one in found:
            out.print(_table(one))


def _table(found: Found) -> Grid:
    columns = (wide("group"), whole("failures"), whole("sources"), whole("last 7 days"), wide("for example"))
    table = Grid(*columns, title=f"{quantity(len(found.rows), 'failure')} of {found.task}", spaced=True)
    bundles = {row["id"]: row["bundle"] for row in found.rows}
    components = {group.component for group in found.groups}
    for group in found.groups:
        title = f"{group.component}: {group.title}" if len(components) > 1 else group.title
        example = group.representatives[0]
        said = bundles[example]
        shown = f"{example}\n{said['input'][:_EXAMPLE]}\n-> {said['output'][:_EXAMPLE]}"
        table.add_row(cell(title), str(len(group.ids)), str(group.sources), sparkline(group.trend), cell(shown))
    return table


def sparkline(trend: Sequence[DayCount]) -> str:
    """A bar for each day, the highest for the most; a dot for a day without failures. Figures where the terminal has no
    bars."""
    bars, dot = (_BARS, "·") if out.encoding.startswith("utf") else (_FIGURES, ".")
    most = max((day.failures for day in trend), default=0)
    return "".join(bars[(day.failures * len(bars) - 1) // most] if day.failures else dot for day in trend)


def _export(file: Path, found: Found) -> None:
    lines = [json.dumps(_line(row, found.categories), ensure_ascii=False) + "\n" for row in found.rows]
    try:
        with file.open("x", encoding="utf-8") as written:
            written.writelines(lines)
    except FileExistsError as error:
        raise ConfigurationError(f"{file} exists already and may hold labels; give --export another name") from error
    except OSError as error:
        raise ConfigurationError(f"{file} cannot be written: {error.strerror}") from error


def _status(text: str) -> FailureStatus | None:
    status: FailureStatus | None = next((status for status in get_args(FailureStatus) if status == text), None)
    if text and status is None:
        known = ", ".join(get_args(FailureStatus))
        raise ConfigurationError(f"--status: {text!r} is none; expected one of {known}, or '' for all")
    return status


def _line(row: FailureRow, categories: dict[str, str]) -> dict[str, Any]:
    bundle = row["bundle"]
    evaluation = bundle["evaluation"]
    return {
        "id": row["id"],
        "task": bundle["task"],
        "component": bundle["component"],
        "input": bundle["input"],
        "output": bundle["output"],
        "expected": bundle["expected"],
        "failed": [result["name"] for result in evaluation["criteria"] if result["outcome"] == "failed"],
        "problems": evaluation["problems"],
        "version": bundle["version"],
        "source": bundle["source"],
        "created_at": bundle["created_at"],
        "category": categories.get(row["id"]),
        "label": None,
    }


async def _failures(task: str | None, every: bool, status: FailureStatus | None) -> list[Found]:
    async with open_session() as session:
        return [await _of_task(session, name, status) for name in await chosen_tasks(session, task, every)]


async def _of_task(session: Session, task: str, status: FailureStatus | None) -> Found:
    await to_thread(load_task, session.engine.settings.tasks_dir, task)
    store = session.engine.store
    await regroup(store, task, embeddings=session.engine.embeddings)
    rows = await store.failures.of_task(task, status)
    cycles = await store.cycles.select(task=task, limit=100_000)
    return Found(task, rows, await to_thread(form_groups, rows), _categories(cycles))


def _categories(cycles: Sequence[CycleRow]) -> dict[str, str]:
    """By failure; that of the newest cycle counts. Cycles come newest first."""
    found: dict[str, str] = {}
    for cycle in reversed(cycles):
        diagnosis = cycle["document"].get("diagnosis")
        if cycle["finished_at"] and diagnosis:
            causes = diagnosis.get("causes", {})
            found |= {failure: causes.get(failure, diagnosis["category"]) for failure in diagnosis["failures"]}
    return found
