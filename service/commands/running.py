"""`ratchet run` and `ratchet eval`: the agent at work, and its success rate."""

import sys
from typing import Annotated, Any, Literal

import typer
from rich.table import Table
from rich.text import Text

from ratchet.concurrency import run_main
from ratchet.counting import quantity
from ratchet.engine import Scored, Trial, Workbench, score_all
from ratchet.errors import ConfigurationError
from ratchet.gate import measure
from ratchet.llm import Meter, metered
from service.commands.options import AsJson, TaskName
from service.console import out, percent, print_json, progress
from service.serving import serve
from service.session import open_session


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
    out.print(Text(result["output"]))
    out.print(_criteria(result))
    for problem in _further(result):
        out.print(Text(problem))


async def _run(task: str, text: str, expected: str | None, source: str | None) -> Any:
    async with open_session() as session:
        return await serve(session, task, text, expected, source)


def _criteria(result: dict[str, Any]) -> Table:
    verdict = {True: "passed", False: "failed", None: "not scored"}[result["passed"]]
    stored = f", stored as {result['failure_id']}" if result["failure_id"] else ""
    table = Table(title=f"{verdict}{stored}", title_justify="left")
    for name in ("criterion", "", "why"):
        table.add_column(name)
    for criterion in result["criteria"]:
        table.add_row(criterion["name"], criterion["outcome"], Text(criterion["comment"]))
    return table


def _further(result: dict[str, Any]) -> list[str]:
    """Problems that no criterion tells of: of the run itself, and of the model's replies."""
    told = tuple(f"{criterion['name']}: " for criterion in result["criteria"])
    return [problem for problem in result["problems"] if not problem.startswith(told)]


def evaluate(
    task: TaskName,
    split: Annotated[Literal["holdout", "train", "all"], typer.Option(help="Which cases.")] = "holdout",
    as_json: AsJson = False,
) -> None:
    """Measure the success rate of the prompts in force on the task's cases. Equal runs are paid for once."""
    with progress(f"eval {task}") as tell:
        result = run_main(_evaluate(task, split, lambda done, total: tell(done=done, total=total)))
    if as_json:
        print_json(result)
        return
    table = Table(
        title=f"{task}, version {result['version']}, {quantity(result['n'], f'{split} case')}",
        caption=f"{quantity(result['calls'], 'model call')} paid, {result['reused']} reused",
        title_justify="left",
    )
    table.add_column("")
    table.add_column("passed", justify="right")
    interval = f"{percent(result['success_rate'])} [{100 * result['low']:.0f}-{100 * result['high']:.0f}]"
    table.add_row("success", interval)
    for name, rate in result["criteria"].items():
        table.add_row(name, percent(rate))
    out.print(table)
    for line in result["silent_roles"]:
        out.print(Text(line), soft_wrap=True)


async def _evaluate(task: str, split: str, tell: Any) -> dict[str, Any]:
    async with open_session() as session:
        bench = await session.engine.workbench(task)
        cases = [case for case in bench.cases if split in (case.split, "all")]
        if not cases:
            raise ConfigurationError(f"task {task} has no {split} cases")
        trials = [Trial(case.input, case.expected) for case in cases]
        with metered(Meter()) as meter:
            scored = await score_all(session.engine, bench, bench.prompts, trials, progress=tell)
        found = measure(sum(result.evaluation.passed is True for result in scored), len(scored))
        return {
            "task": task,
            "split": split,
            "version": bench.version,
            "success_rate": found.rate,
            "n": found.n,
            "low": found.low,
            "high": found.high,
            "criteria": _rates(_names(bench), scored),
            "calls": meter.calls,
            "reused": sum(usage.reused for usage in meter.roles.values()),
            "most_in_flight": meter.most_in_flight,
            "silent_roles": meter.silent(),
        }


def _names(bench: Workbench) -> list[str]:
    return [criterion.name for criterion in bench.task.criteria] + [check.name for check in bench.rules.checks]


def _rates(names: list[str], scored: list[Scored]) -> dict[str, float | None]:
    """Each criterion's share of passes among all runs; None where no run has a result for it."""
    rates: dict[str, float | None] = {}
    for name in names:
        results = [result.evaluation.of(name) for result in scored]
        known = [result for result in results if result is not None and result.passed is not None]
        rates[name] = sum(bool(result.passed) for result in known) / len(scored) if known else None
    return rates
