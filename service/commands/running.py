"""`ratchet run` and `ratchet eval`: the agent at work, and its success rate."""

import sys
import uuid
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

import typer
from rich.console import Group, RenderableType

from ratchet.concurrency import Progress, run_main
from ratchet.counting import duration, quantity
from ratchet.engine import Trial, Workbench, criterion_rates, reasons_unscored, score_all, tally
from ratchet.errors import ConfigurationError
from ratchet.gate import measure
from ratchet.llm import Meter, metered, own_replies
from service.commands.options import AllTasks, AsJson, TaskName, TaskOrAll
from service.console import Grid, Tell, cell, out, percent, print_json, progress, whole, wide
from service.exit_codes import ExitCode
from service.run_report import criteria_table, further_problems
from service.serving import serve
from service.session import Session, chosen_tasks, open_session


def run(
    task: TaskName,
    text: Annotated[str, typer.Argument(metavar="INPUT", help="What the agent is asked; - reads it from stdin.")],
    expected: Annotated[str | None, typer.Option(help="The right output, where it is known.")] = None,
    source: Annotated[str | None, typer.Option(help="Who the run comes from.")] = None,
    as_json: AsJson = False,
) -> None:
    """Run the agent once, score it, and store it; a failure is kept for the next improvement."""
    asked = sys.stdin.read().strip() if text == "-" else text
    if not asked:
        raise ConfigurationError("the input is empty")
    state = run_main(_run(task, asked, expected, source))
    evaluation = state["evaluation"]
    result = {
        "run_id": state["run_id"],
        "output": state["output"],
        "passed": evaluation["passed"],
        "score": evaluation["score"],
        "criteria": evaluation["criteria"],
        "problems": evaluation["problems"],
        "failure_id": state["failure_id"],
    }
    if as_json:
        print_json(result)
        return
    stored = f", stored as {result['failure_id']}" if result["failure_id"] else ""
    verdict = {True: "passed", False: "failed", None: "not scored"}[result["passed"]]
    out.print(cell(result["output"]))
    out.print(criteria_table(result["criteria"], f"{verdict}{stored}"))
    for problem in further_problems(evaluation):
        out.print(cell(problem))
    out.print(cell(f"its trace: ratchet show {result['run_id']}"), soft_wrap=True)


async def _run(task: str, text: str, expected: str | None, source: str | None) -> Any:
    async with open_session() as session:
        return await serve(session, task, text, expected, source)


def evaluate(
    task: TaskOrAll = None,
    split: Annotated[Literal["holdout", "train", "all"], typer.Option(help="Which cases.")] = "holdout",
    fresh: Annotated[bool, typer.Option("--fresh", help="Ask the models anew; kept replies do not count.")] = False,
    every: AllTasks = False,
    as_json: AsJson = False,
) -> None:
    """Measure the success rate of the prompts in force on the task's cases. Equal runs are paid for once.

    A kept reply says nothing about a model that has changed behind its name since: --fresh does without. What could not
    be scored is no part of the rate. Exit code 1 where nothing could be scored.
    """
    again = f"ratchet eval {task or '--all'}"
    with progress(f"eval {task or 'all'}", f"what was paid for is kept, `{again}` goes on from there") as tell:
        results = run_main(_evaluate_tasks(task, every, split, fresh, tell))
    if as_json:
        print_json({"tasks": results} if every else results[0])
    else:
        for result in results:
            out.print(_rates_table(result))
    if not all(result["passed"] + result["failed"] for result in results):
        raise typer.Exit(ExitCode.NO)


def _rates_table(result: dict[str, Any]) -> RenderableType:
    cases = quantity(result["n"], "case" if result["split"] == "all" else f"{result['split']} case")
    title = f"{result['task']}, version {result['version']}, {cases}"
    table = Grid(wide(""), whole("passed", right=True), title=title)
    table.note = _cost_line(result)
    interval = f" [{100 * result['low']:.0f}-{100 * result['high']:.0f}]" if result["success_rate"] is not None else ""
    table.add_row("cases", f"{result['passed']} passed, {result['failed']} failed, {result['unscored']} not scored")
    table.add_row("success", f"{percent(result['success_rate'])}{interval}")
    for name, rate in result["criteria"].items():
        table.add_row(cell(name), percent(rate))
    reasons = [f"not scored: {reason}" for reason in result["problems"]]
    return Group(table, *(cell(line) for line in (*reasons, *result["silent_roles"])))


def _cost_line(result: dict[str, Any]) -> str:
    line = f"{quantity(result['calls'], 'model call')} paid, {result['reused']} reused"
    if result["oldest_reused"] is None:
        return line
    age = datetime.now(UTC) - datetime.fromisoformat(result["oldest_reused"])
    return f"{line}, the oldest kept {duration(age.total_seconds())} ago; --fresh asks anew"


async def _evaluate_tasks(task: str | None, every: bool, split: str, fresh: bool, tell: Tell) -> list[dict[str, Any]]:
    async with open_session() as session:
        return [
            await _evaluate(session, name, split, fresh, lambda done, total: tell(done=done, total=total))
            for name in await chosen_tasks(session, task, every)
        ]


async def _evaluate(session: Session, task: str, split: str, fresh: bool, tell: Progress) -> dict[str, Any]:
    bench = await session.engine.workbench(task)
    cases = [case for case in bench.cases if split in (case.split, "all")]
    if not cases:
        raise ConfigurationError(f"task {task} has no {split} cases")
    trials = [Trial(case.input, case.expected) for case in cases]
    measurement = f"eval {uuid.uuid4().hex}" if fresh else ""
    with metered(Meter()) as meter, own_replies(measurement):
        scored = await score_all(session.engine, bench, bench.prompts, trials, progress=tell)
    counts = tally(scored)
    found = measure(counts.passed, counts.scored)
    return {
        "task": task,
        "split": split,
        "version": bench.version,
        "success_rate": found.rate if counts.scored else None,
        "n": len(scored),
        **counts._asdict(),
        "low": found.low,
        "high": found.high,
        "criteria": criterion_rates(_names(bench), scored),
        "problems": reasons_unscored(scored),
        "calls": meter.calls,
        "reused": sum(usage.reused for usage in meter.roles.values()),
        "oldest_reused": meter.oldest,
        "most_in_flight": meter.most_in_flight,
        "silent_roles": meter.silent(),
    }


def _names(bench: Workbench) -> list[str]:
    return [criterion.name for criterion in bench.task.criteria] + [check.name for check in bench.rules.checks]
