"""`ratchet history`, `rollback`, `audit`: what was changed, and by whom."""

from collections import Counter
from typing import Annotated, TypedDict

import typer
from rich.table import Table
from rich.text import Text

from ratchet.concurrency import run_main, to_thread
from ratchet.counting import quantity
from ratchet.ledger import drift
from ratchet.ledger.contents import Components
from ratchet.store.documents import VersionNumbers
from ratchet.store.rows import AuditRow, VersionRow
from ratchet.store.statuses import VersionStatus
from ratchet.tasks import load_task
from service.commands.options import AsJson, Reason, Reviewer, TaskName
from service.console import out, percent, print_json
from service.session import open_session


class ShownVersion(TypedDict):
    """A version as ``history --json`` prints it."""

    version: int
    status: VersionStatus
    hash: str
    applied_at: str
    by: str
    reason: str
    numbers: VersionNumbers
    components: Components
    drift: float


def history(task: TaskName, as_json: AsJson = False) -> None:
    """List the versions of a task's prompts."""
    rows = run_main(_history(task))
    if as_json:
        print_json({"task": task, "versions": rows})
        return
    table = Table(title=task, title_justify="left")
    for name in ("version", "status", "since", "by", "held-out success", "drift", "why"):
        table.add_column(name)
    for row in rows:
        numbers = row["numbers"]
        rates = f"{percent(numbers['before'])} -> {percent(numbers['after'])}" if "before" in numbers else ""
        table.add_row(
            str(row["version"]), row["status"], row["applied_at"][:16], row["by"], rates, percent(row["drift"]),
            Text(row["reason"]),
        )  # fmt: skip
    table.caption = "drift: share of words changed against version 1"
    out.print(table)


async def _history(task: str) -> list[ShownVersion]:
    async with open_session() as session:
        bench = await session.engine.workbench(task)
        rows = await session.engine.versions.history(bench.task.name)
        return [
            {
                "version": row["number"],
                "status": row["status"],
                "hash": row["hash"],
                "applied_at": row["applied_at"],
                "by": row["by"],
                "reason": row["reason"],
                "numbers": row["numbers"],
                "components": row["components"],
                "drift": drift(rows[0]["components"], row["components"]),
            }
            for row in rows
        ]


def rollback(
    task: TaskName,
    version: Annotated[int | None, typer.Argument(help="Version to go back to; the one before if left out.")] = None,
    reviewer: Reviewer = "unknown",
    reason: Reason = "rolled back",
    as_json: AsJson = False,
) -> None:
    """Bring back an earlier version of a task's prompts, byte for byte."""
    row = run_main(_rollback(task, version, reviewer, reason))
    if as_json:
        print_json({"task": task, "version": row["number"], "hash": row["hash"], "status": row["status"]})
    else:
        out.print(
            f"{task}: version {row['number']} is active, with the content of the version asked for", highlight=False
        )


async def _rollback(task: str, version: int | None, by: str, reason: str) -> VersionRow:
    async with open_session() as session:
        bench = await session.engine.workbench(task)
        return await session.engine.versions.rollback(bench.task, version, by, reason)


def audit(
    task: Annotated[str | None, typer.Argument(help="Only this task.")] = None,
    verify: Annotated[bool, typer.Option("--verify", help="Check that no row was changed or removed.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show who changed what and why; --verify checks the chain of hashes."""
    rows, problems = run_main(_audit(task))
    if as_json:
        print_json({"rows": rows, "problems": problems, "whole": not problems})
    elif verify:
        for problem in problems:
            out.print(Text(problem, "red"))
        out.print("the audit log is whole" if not problems else quantity(len(problems), "problem"))
    else:
        table = Table()
        for name in ("at", "who", "what", "task", "on", "why"):
            table.add_column(name)
        for row in rows:
            why = str(row["detail"].get("reason", ""))
            table.add_row(row["at"][:19], row["actor"], row["action"], row["task"], row["subject"], Text(why))
        counts = Counter(row["action"] for row in rows)
        table.caption = ", ".join(f"{count} {action}" for action, count in counts.items())
        out.print(table)
    if verify and problems:
        raise typer.Exit(1)


async def _audit(task: str | None) -> tuple[list[AuditRow], list[str]]:
    async with open_session() as session:
        rows = await session.engine.audit.rows(task)
        if task is not None and not rows:
            await to_thread(load_task, session.engine.settings.tasks_dir, task)  # one that was removed has rows
        return rows, await session.engine.audit.verify()
