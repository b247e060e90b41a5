"""`ratchet history`, `rollback`, `audit`: what was changed, and by whom."""

from collections import Counter
from typing import Annotated, TypedDict

import typer

from ratchet.concurrency import run_main, to_thread
from ratchet.counting import quantity
from ratchet.ledger import drift
from ratchet.ledger.contents import Components
from ratchet.store.documents import VersionNumbers
from ratchet.store.rows import AuditRow, VersionRow
from ratchet.store.statuses import VersionStatus
from ratchet.tasks import load_task
from service.commands.options import AllTasks, AsJson, Reason, Reviewer, TaskName, TaskOrAll
from service.console import Grid, cell, ids, out, percent, print_json, shares, whole, wide
from service.exit_codes import ExitCode
from service.session import Session, chosen_tasks, open_session


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
    cycle: str | None
    """The cycle that it comes from; None for an edit, a rollback, or the first."""


def history(task: TaskOrAll = None, every: AllTasks = False, as_json: AsJson = False) -> None:
    """List the versions of a task's prompts, and the cycles they come from."""
    found = run_main(_history(task, every))
    if as_json:
        each = [{"task": name, "versions": rows} for name, rows in found.items()]
        print_json({"tasks": each} if every else each[0])
        return
    for name, rows in found.items():
        out.print(_history_table(name, rows))


def _history_table(task: str, rows: list[ShownVersion]) -> Grid:
    columns = (
        whole("version"),
        wide("status"),
        wide("since"),
        wide("by"),
        wide("held-out success"),
        whole("drift", right=True),
        ids("cycle", (row["cycle"] or "" for row in rows)),
        wide("why"),
    )
    table = Grid(*columns, title=task)
    for row in rows:
        numbers = row["numbers"]
        since = row["applied_at"][:16].replace("T", " ")
        told = (row["by"], shares(numbers.get("before"), numbers.get("after")))
        table.add_row(
            str(row["version"]), row["status"], since, *(cell(text) for text in told), percent(row["drift"]),
            row["cycle"] or "", cell(row["reason"]),
        )  # fmt: skip
    table.note = "drift: share of words changed against version 1"
    return table


async def _history(task: str | None, every: bool) -> dict[str, list[ShownVersion]]:
    async with open_session() as session:
        return {name: await _versions(session, name) for name in await chosen_tasks(session, task, every)}


async def _versions(session: Session, task: str) -> list[ShownVersion]:
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
            "cycle": await _cycle(session, row),
        }
        for row in rows
    ]


async def _cycle(session: Session, row: VersionRow) -> str | None:
    made_by = await session.engine.store.proposals.get(row["proposal_id"]) if row["proposal_id"] else None
    return made_by["cycle_id"] if made_by else None


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
        of = row["numbers"]["rolled_back_to"]
        out.print(f"{task}: version {row['number']} is active, with the content of version {of}", highlight=False)


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
            out.print(cell(problem, "red"))
        out.print("the audit log is whole" if not problems else quantity(len(problems), "problem"))
    else:
        out.print(_audit_table(rows))
    if verify and problems:
        raise typer.Exit(ExitCode.NO)


def _audit_table(rows: list[AuditRow]) -> Grid:
    on = ids("on", (row["subject"] for row in rows))
    table = Grid(whole("at"), wide("who"), wide("what"), wide("task"), on, wide("why"))
    for row in rows:
        at, why = row["at"][:19].replace("T", " "), str(row["detail"].get("reason", ""))
        table.add_row(at, *(cell(told) for told in (row["actor"], row["action"], row["task"], row["subject"], why)))
    counts = Counter(row["action"] for row in rows)
    table.note = ", ".join(f"{count} {action}" for action, count in counts.items())
    return table


async def _audit(task: str | None) -> tuple[list[AuditRow], list[str]]:
    async with open_session() as session:
        rows = await session.engine.audit.rows(task)
        if task is not None and not rows:
            await to_thread(load_task, session.engine.settings.tasks_dir, task)  # one that was removed has rows
        return rows, await session.engine.audit.verify()
