"""Store the failure whole."""

from langchain_core.runnables import RunnableConfig

from nodes.state import State, ending, own_run
from ratchet.engine import SAME_RUN, Engine, Workbench
from ratchet.errors import RefusalError
from ratchet.grouping import group_key
from ratchet.live.watch import roll_back_if_worse
from ratchet.prompting import TaskPrompt
from ratchet.records import Evaluation, FailureBundle
from ratchet.store import now
from ratchet.store.documents import RunDocument
from ratchet.store.rows import RunRow
from ratchet.store.statuses import OPEN_CYCLE


async def log_failure(state: State, config: RunnableConfig, engine: Engine) -> State:
    """Store the failure with all that is needed to learn from it, and say which cycle it waits for, if any.

    It is also one more result under the active version: a change that live traffic proves worse is taken back here.
    """
    row = await own_run(engine, state, config)
    bench = await engine.workbench(row["task"], within=SAME_RUN)
    bundle = _bundle(row, bench)
    await engine.store.failures.add(bundle, group_key(bundle.component, bundle.evaluation))
    waits = [
        row["id"]
        for row in await engine.store.cycles.select(task=bundle.task, status=OPEN_CYCLE)
        if row["component"] == bundle.component
    ]
    message = f"failure {bundle.id} is stored" + (f" and waits for cycle {waits[0]}" if waits else "")
    taken_back = await roll_back_if_worse(engine, bench)
    for said in (taken_back, bench.problem):
        message += f"; {said}" if said else ""
    return {"failure_id": bundle.id, "outcome": ending("logged", message, cycle_id=waits[0] if waits else None)}


def _bundle(row: RunRow, bench: Workbench) -> FailureBundle:
    run = row["document"]
    if row["passed"] != 0:
        raise RefusalError(f"run {row['id']} has not failed; nothing was stored")
    return FailureBundle(
        id="F-" + row["id"].removeprefix("R-"),
        run_id=row["id"],
        task=row["task"],
        component=_component(run, bench),
        input=run["input"],
        output=run["output"],
        expected=run["expected"],
        evaluation=Evaluation.model_validate(run["evaluation"]),
        prompts={name: TaskPrompt.model_validate(value) for name, value in run["prompts"].items()},
        version=run["version"],
        rules_hash=run["rules_hash"],
        model=run["model"],
        trace=run["trace"],
        source=row["source"],
        thread_id=run["thread_id"],
        created_at=now(),
    )


def _component(run: RunDocument, bench: Workbench) -> str:
    """The component that wrote the output: the last one that was called."""
    called = [step["component"] for step in run["trace"] if step["kind"] == "model"]
    known = [name for name in called if name in bench.task.components]
    return known[-1] if known else bench.task.components[0]
