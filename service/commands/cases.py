"""`ratchet cases list`, `add` and `remove`: what a task is trained and measured on, and what people add to it."""

from dataclasses import replace
from typing import Annotated, TypedDict

import typer

from ratchet.concurrency import run_main
from ratchet.config.files import parse_json
from ratchet.counting import quantity
from ratchet.engine import Engine, Workbench
from ratchet.errors import ConfigurationError
from ratchet.gate.holdout import own_cases, production_cases
from ratchet.resolving import ApprovedCase, CaseRequest, approve_case, remove_case
from ratchet.store.rows import CaseRow
from ratchet.tasks import Case, Expected, Split
from service.commands import options
from service.commands.options import AllTasks, AsJson, Reason, Reviewer, TaskName, TaskOrAll
from service.console import Grid, cell, ids, out, print_json, whole, wide
from service.ids import unique, whole_id
from service.session import chosen_tasks, open_session

cases = typer.Typer(
    help="The cases of a task: those in its file, and those that people approved from production.",
    no_args_is_help=True,
)


class CaseContent(TypedDict):
    """A `ratchet.tasks.Case`."""

    id: str
    input: str
    expected: Expected
    split: Split
    tags: list[str]


class ListedCase(CaseContent):
    """A case as ``cases list --json`` prints it."""

    origin: str | None
    """The failure, or the run from production, that it comes from."""
    approved_by: str | None
    created_at: str | None
    decisions: int | None
    """Decisions of the gate that it took part in; None for a training case."""
    production: bool


@cases.command("list")
def list_cases(
    task: TaskOrAll = None,
    split: Annotated[Split | None, typer.Option(help="Only those.")] = None,
    every: AllTasks = False,
    as_json: AsJson = False,
) -> None:
    """List a task's cases: those of its file, the approved ones with their origin, and the inputs from production that
    the next decision of the gate takes. Of held-out cases it is said in how many decisions each took part."""
    listed = run_main(_list(task, every))
    found = {name: [case for case in cases if split in (None, case["split"])] for name, cases in listed.items()}
    if as_json:
        each = [{"task": name, "n": len(shown), "cases": shown} for name, shown in found.items()]
        print_json({"tasks": each} if every else each[0])
        return
    for name, shown in found.items():
        out.print(_table(name, shown))


def _table(task: str, found: list[ListedCase]) -> Grid:
    columns = (ids("id", (case["id"] for case in found)), wide("input"), wide("expected"), whole("split"))
    more = (whole("worn", right=True), wide("tags"), wide("from"))
    table = Grid(*columns, *more, title=f"{quantity(len(found), 'case')} of {task}", spaced=True)
    for case in found:
        texts = (case["input"], "" if case["expected"] is None else case["expected"])
        table.add_row(
            cell(case["id"]), *(cell(str(text)[:80]) for text in texts), case["split"],
            "" if case["decisions"] is None else str(case["decisions"]), cell(", ".join(case["tags"])),
            cell(_origin(case)),
        )  # fmt: skip
    table.note = "worn: decisions of the gate that a held-out case took part in"
    return table


def _origin(case: ListedCase) -> str:
    if case["production"]:
        return f"production {case['origin']}"
    origin = case["origin"] or ("the file" if case["approved_by"] is None else "a person")
    return f"{origin}, approved by {case['approved_by']}" if case["approved_by"] else str(origin)


async def _list(task: str | None, every: bool) -> dict[str, list[ListedCase]]:
    async with open_session() as session:
        return {name: await _cases_of(session.engine, name) for name in await chosen_tasks(session, task, every)}


async def _cases_of(engine: Engine, task: str) -> list[ListedCase]:
    bench = await engine.workbench(task)
    stored = {row["id"]: row for row in await engine.store.cases.of_task(bench.task.name)}
    decisions = {held.case.id: held.decisions for held in await own_cases(engine, bench)}
    found = [_list_entry(case, stored.get(case.id), decisions.get(case.id)) for case in bench.cases]
    return found + await _from_production(engine, bench)


def _list_entry(case: Case, row: CaseRow | None, decisions: int | None) -> ListedCase:
    """A case of the task; `row` is the approved one of its id."""
    known = row if row and row["input"] == case.input else None  # else the file has taken its id
    return {
        **_content(case),
        "origin": known["origin"] if known else None,
        "approved_by": known["approved_by"] if known else None,
        "created_at": known["created_at"] if known else None,
        "decisions": decisions,
        "production": False,
    }


async def _from_production(engine: Engine, bench: Workbench) -> list[ListedCase]:
    return [
        {
            **_content(held.case),
            "origin": held.run.id,
            "approved_by": None,
            "created_at": held.run.created_at,
            "decisions": held.decisions,
            "production": True,
        }
        for held in await production_cases(engine, bench)
        if held.run
    ]


def _content(case: Case) -> CaseContent:
    return {"id": case.id, "input": case.input, "expected": case.expected, "split": case.split, "tags": case.tags}


@cases.command("add")
def add(
    task: TaskName,
    origin: Annotated[
        str | None,
        typer.Option("--from", metavar="ID", help="A failure (F-...), or a cycle or review item (C-...) with one."),
    ] = None,
    text: Annotated[str | None, typer.Option("--input", help="The input, where there is no --from.")] = None,
    expected: options.Expected = None,
    expected_json: options.ExpectedJson = None,
    split: Annotated[
        Split | None,
        typer.Option(help="Left out: train for what a cycle has worked on, else by a stable hash, half and half."),
    ] = None,
    tag: Annotated[list[str] | None, typer.Option(help="A tag; may be given several times.")] = None,
    reviewer: Reviewer = "unknown",
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """Add a case from production. Without an expected output the one of the failure is approved as it is."""
    request = CaseRequest(
        task=task,
        origin=origin,
        input=text,
        expected=given_expected(expected, expected_json),
        split=split,
        tags=tuple(tag or ()),
        reviewer=reviewer,
        reason=reason,
    )
    added = run_main(_add(request))
    if as_json:
        print_json({"case": added.row, "as_it_was": added.as_it_was, "corrected": added.corrected})
        return
    row = added.row
    out.print(cell(f"{row['id']} is a {row['split']} case of {task} now, expected: {row['expected']}"))
    if added.as_it_was:
        out.print("the expected output of the failure was approved as it is")
    if added.corrected:
        out.print(cell(f"the failure {added.corrected} is marked corrected"))


async def _add(request: CaseRequest) -> ApprovedCase:
    async with open_session() as session:
        if request.origin:
            origin = await whole_id(session.engine.store, request.origin, "failure", "cycle", "review")
            request = replace(request, origin=origin)
        return await approve_case(session.engine, request)


@cases.command("remove")
def remove(
    task: TaskName,
    case_id: Annotated[
        str, typer.Argument(help="Id from `ratchet cases list`; its beginning is enough.", show_default=False)
    ],
    reviewer: Reviewer = "unknown",
    reason: Reason = "",
    as_json: AsJson = False,
) -> None:
    """Take back an approved case. One that stands in cases.jsonl is taken out there."""
    row = run_main(_remove(task, case_id, reviewer, reason))
    if as_json:
        print_json({"case": row})
        return
    out.print(cell(f"{row['id']} is no case of {row['task']} any more; its input was: {row['input'][:80]}"))


async def _remove(task: str, case_id: str, reviewer: str, reason: str) -> CaseRow:
    async with open_session() as session:
        approved = [row["id"] for row in await session.engine.store.cases.of_task(task)]
        whole_case_id = unique(case_id, approved)
        return await remove_case(session.engine, task, whole_case_id, reviewer=reviewer, reason=reason)


def given_expected(text: str | None, as_json: str | None) -> Expected:
    """The expected output of the two options; None where neither was given.

    Raises:
        ConfigurationError: both were given, or the JSON is no object, list or string.
    """
    if as_json is None:
        return text
    if text is not None:
        raise ConfigurationError("--expected and --expected-json exclude each other")
    parsed = parse_json(as_json, "--expected-json")
    if isinstance(parsed, str | dict | list):
        return parsed
    raise ConfigurationError(f"--expected-json: expected an object, a list or a string, not {as_json!r:.40}")
