"""`ratchet doctor`: what is configured, what answers, and what to do if not."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from typing import NamedTuple

import typer

from ratchet.agents import load_agent
from ratchet.calibration.canary import problem_of, score_canary
from ratchet.concurrency import gather, run_main, to_thread
from ratchet.config.settings import ROLES, Settings, unknown_variables
from ratchet.counting import quantity
from ratchet.engine import Engine, Workbench, shown_cases
from ratchet.errors import ConfigurationError, RatchetError
from ratchet.evaluators import load_function
from ratchet.gate import error_level
from ratchet.gate.reach import is_in_reach, reach
from ratchet.prompting import load_rules
from ratchet.proposers import own_proposers
from ratchet.proposers.guards.shape import unknown_source
from ratchet.role_check import RoleCheck
from ratchet.search import race_policy
from ratchet.tasks import Task, load_task, overlap_lines, task_names
from service.commands.options import AsJson
from service.console import Grid, cell, out, print_json, whole, wide
from service.exit_codes import ExitCode
from service.session import open_session


class Finding(NamedTuple):
    """One thing that was looked at. `state`: ok, warning or error."""

    name: str
    state: str
    text: str


def doctor(as_json: AsJson = False) -> None:
    """Say what is configured, what answers, and what to do if not."""
    findings = run_main(_examine())
    healthy = not any(finding.state == "error" for finding in findings)
    if as_json:
        print_json({"healthy": healthy, "findings": [finding._asdict() for finding in findings]})
    else:
        table = Grid(whole(""), wide("what"), wide(""))
        styles = {"ok": "green", "warning": "yellow", "error": "bold red"}
        for finding in findings:
            table.add_row(cell(finding.state, styles[finding.state]), cell(finding.name), cell(finding.text))
        out.print(table)
    if not healthy:
        raise typer.Exit(ExitCode.NO)


async def _examine() -> list[Finding]:
    try:
        settings = Settings.load()
        async with open_session(settings) as session:
            return [finding async for finding in _findings(session.engine)]
    except RatchetError as error:
        return [Finding("settings and database", "error", str(error))]


async def _findings(engine: Engine) -> AsyncIterator[Finding]:
    settings = engine.settings
    yield Finding("database", "ok", "answers" if settings.database_url else str(settings.home / "ratchet.sqlite"))
    for variable in unknown_variables():
        yield Finding("settings", "warning", str(variable))
    yield await _rules(settings)
    names = await to_thread(task_names, settings.tasks_dir)
    if not names:
        yield Finding("tasks", "warning", f"none in {settings.tasks_dir}/; `ratchet init DIR` makes an example")
    for name in names:
        yield await _task(engine, name)
        async for finding in _splits(engine, name):
            yield finding
        async for finding in _canary(engine, name):
            yield finding
    for finding in await _roles(engine, names):
        yield finding
    yield await _embedding(engine)
    if settings.judge_model == settings.agent_model and await _has_judge(engine, names):
        yield Finding(
            "judge", "warning", "is the agent's own model; set RATCHET_JUDGE_MODEL to another one for judge criteria"
        )
    if settings.optimizer_model.startswith("local") or settings.analyst_model.startswith("local"):
        text = "the embedded model writes no useful prompts or opinions; experiments, retrieval and examples still work"
        yield Finding("analyst and optimizer", "warning", text)


async def _has_judge(engine: Engine, names: Sequence[str]) -> bool:
    """Whether a task has a criterion that a judge decides; one that cannot be read is told of elsewhere."""
    for name in names:
        try:
            task = (await engine.workbench(name)).task
        except RatchetError:
            continue
        if any(criterion.kind == "judge" for criterion in task.criteria):
            return True
    return False


async def _rules(settings: Settings) -> Finding:
    try:
        rules = await to_thread(load_rules, settings.rules_file)
    except RatchetError as error:
        return Finding("rules", "error", str(error))
    checked, probes = len(rules.checks), sum(len(check.probes) for check in rules.checks)
    enforced = (
        f"{checked} of them checked on every output, {quantity(probes, 'probe')}" if checked else "none has a check"
    )
    count = f"{len(rules.rules)} in {settings.rules_file}, {enforced}, sha256 {rules.hash[:12]}"
    return Finding("rules", "ok", count)


async def _task(engine: Engine, name: str) -> Finding:
    label = f"task {name}"
    try:
        await to_thread(load_task, engine.settings.tasks_dir, name)
        bench = await engine.workbench(name)
    except RatchetError as error:
        return Finding(label, "error", str(error))
    problems = [problem async for problem in _problems_of_code(bench.task)]
    for component, prompt in bench.prompts.items():
        reason = unknown_source(bench.task, prompt)
        problems += [f"the prompt of {component} {reason}; no run can be served"] if reason else []
    if problems:
        return Finding(label, "error", "; ".join(problems))
    counts = f"{len(bench.train)} training and {quantity(len(bench.holdout), 'held-out case')}, version {bench.version}"
    if not bench.holdout:
        return Finding(label, "warning", f"{counts}: without held-out cases no change can be proven")
    level = await engine.store.gate_tests.next_level(name, error_level)
    cases = len(bench.holdout)
    state = "ok" if is_in_reach(cases, level) else "warning"
    return Finding(label, state, f"{counts}; {reach(cases, level)}")


async def _splits(engine: Engine, name: str) -> AsyncIterator[Finding]:
    """What stands in two cases, and what is held out and shown: nothing is proven on such cases."""
    try:
        bench = await engine.workbench(name)
    except RatchetError:  # told by the task's own line
        return
    leak = any(item.is_leak for item in bench.left_out)
    lines = overlap_lines(bench.left_out)
    if lines:
        yield Finding(f"splits of {name}", "error" if leak else "warning", "; ".join(lines))
    if bench.problem:
        yield Finding(f"prompts of {name}", "error", bench.problem)
    shown = shown_cases(bench.prompts.values(), bench.holdout)
    if shown:
        text = f"the prompts in force show {quantity(len(shown), 'held-out case')} as examples: {', '.join(shown[:3])}"
        yield Finding(f"examples of {name}", "error", f"{text}; success on what is shown says nothing")


async def _problems_of_code(task: Task) -> AsyncIterator[str]:
    """What of the user's own code cannot run. That of context sources was imported with the task."""
    loading = [own_proposers(task), race_policy(task)]
    loading += [load_agent(task.agent.use, task.name)] if task.agent.use else []
    loading += [load_function(criterion) for criterion in task.criteria if criterion.kind == "python"]
    for load in loading:
        try:
            await load
        except ConfigurationError as error:
            yield str(error)


async def _canary(engine: Engine, name: str) -> AsyncIterator[Finding]:
    label = f"canary of {name}"
    try:
        bench = await engine.workbench(name)
        evaluation = await score_canary(engine, bench)
    except ConfigurationError:  # a wrong file or a refused model is told elsewhere in this list
        return
    judged = {criterion.name for criterion in bench.task.criteria if criterion.kind == "judge"}
    if evaluation is None:
        if judged:
            text = "none, though a judge decides: add a known bad output to task.toml as [canary] with input and output"
            yield Finding(label, "warning", text)
        return
    problem = problem_of(evaluation)
    if problem:
        yield Finding(label, "error", problem)
    elif judged and not judged & set(evaluation.failed):
        yield Finding(label, "warning", "fails, but no judge criterion fails it: it says nothing about the judge")
    else:
        yield Finding(label, "ok", f"fails, as it has to ({', '.join(evaluation.failed) or 'below the threshold'})")


async def _roles(engine: Engine, names: list[str]) -> list[Finding]:
    benches: list[Workbench] = []
    for name in names:
        with suppress(RatchetError):  # a wrong file is told elsewhere in this list
            benches.append(await engine.workbench(name))
    checking = RoleCheck(engine.settings, benches)
    try:
        found = await gather(checking.check(role) for role in ROLES)
    finally:
        await checking.close()
    return [Finding(f"{role} model", *finding) for role, finding in zip(ROLES, found, strict=True)]


async def _embedding(engine: Engine) -> Finding:
    label, embeddings = "embedding model", engine.embeddings
    if embeddings is None:
        if engine.settings.embedding_model == "none":
            return Finding(label, "ok", "none: documents and solved cases are found by their words alone")
        text = "is not installed, so that words alone are compared; run pip install 'ratchet-agents[local]'"
        return Finding(label, "warning", f"{text}, or set RATCHET_EMBEDDING_MODEL=none")
    started = time.perf_counter()
    try:
        await embeddings.model.embed(["Say OK."])
    except RatchetError as error:
        return Finding(label, "error", str(error))
    return Finding(label, "ok", f"{embeddings.model.name} answers in {time.perf_counter() - started:.1f} s")
