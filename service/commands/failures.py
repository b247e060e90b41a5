"""`ratchet failures`: what failed, by group; and the failures as a file that a person can label."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple, get_args

import typer
from rich.table import Table
from rich.text import Text

from ratchet.concurrency import run_main, to_thread
from ratchet.counting import quantity
from ratchet.errors import ConfigurationError
from ratchet.grouping import DayCount, FailureGroup, form_groups, regroup
from ratchet.store.rows import CycleRow, FailureRow
from ratchet.store.statuses import FailureStatus
from ratchet.tasks import load_task
from service.commands.options import AsJson, TaskName
from service.console import out, print_json
from service.session import open_session

_BARS = "▁▂▃▄▅▆▇█"
_EXAMPLE = 80
"""Characters of an example's input and output that are shown."""


class Found(NamedTuple):
    """Stored failures of a task, their groups, and what cycles have found out about them."""

    rows: list[FailureRow]
    groups: list[FailureGroup]
    categories: dict[str, str]
    """What the diagnosis of a finished cycle found for a failure, by the failure's id."""


def failures(
    task: TaskName,
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
    as_json: AsJson = False,
) -> None:
    """Show stored failures by group, the largest first: what they have in common, how many, since when."""
    found = run_main(_failures(task, _status(status or "")))
    if export:
        _export(export, found)
    if as_json:
        shown = [group._asdict() | {"trend": [day._asdict() for day in group.trend]} for group in found.groups]
        written = {"exported": str(export)} if export else {}
        print_json({"task": task, "n": len(found.rows), "groups": shown, "failures": found.rows, **written})
    elif export:
        out.print(f"{quantity(len(found.rows), 'failure')} in {export}; fill in `label`", highlight=False)
    else:
        out.print(_table(task, found))


def _table(task: str, found: Found) -> Table:
    table = Table(title=f"{quantity(len(found.rows), 'failure')} of {task}", title_justify="left")
    for name in ("group", "failures", "sources", "last 7 days", "for example"):
        table.add_column(name)
    bundles = {row["id"]: row["bundle"] for row in found.rows}
    components = {group.component for group in found.groups}
    for group in found.groups:
        title = f"{group.component}: {group.title}" if len(components) > 1 else group.title
        typical = bundles[group.representatives[0]]
        example = f"{typical['input'][:_EXAMPLE]}\n-> {typical['output'][:_EXAMPLE]}"
        numbers = (str(len(group.ids)), str(group.sources), sparkline(group.trend))
        table.add_row(Text(title), *numbers, Text(example))
    return table


def sparkline(trend: Sequence[DayCount]) -> str:
    """A bar for each day, the highest for the most; a dot for a day without failures."""
    most = max((day.failures for day in trend), default=0)
    return "".join(_BARS[(day.failures * len(_BARS) - 1) // most] if day.failures else "·" for day in trend)


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


async def _failures(task: str, status: FailureStatus | None) -> Found:
    async with open_session() as session:
        await to_thread(load_task, session.engine.settings.tasks_dir, task)
        store = session.engine.store
        await regroup(store, task)
        rows = await store.failures.of_task(task, status)
        cycles = await store.cycles.select(task=task, limit=100_000)
        return Found(rows, await to_thread(form_groups, rows), _categories(cycles))


def _categories(cycles: Sequence[CycleRow]) -> dict[str, str]:
    """By failure; that of the newest cycle counts. Cycles come newest first."""
    found: dict[str, str] = {}
    for cycle in reversed(cycles):
        diagnosis = cycle["document"].get("diagnosis")
        if cycle["finished_at"] and diagnosis:
            causes = diagnosis.get("causes", {})
            found |= {failure: causes.get(failure, diagnosis["category"]) for failure in diagnosis["failures"]}
    return found
