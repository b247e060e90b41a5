"""Find the cause by experiment."""

from langchain_core.runnables import RunnableConfig
from langgraph.config import get_stream_writer

from ratchet.cycle import cycle_meter, ended, heldout_inputs, new_cycle_id, process_name, thread_of
from ratchet.engine import Engine, Workbench
from ratchet.errors import BudgetError
from ratchet.llm import metered
from ratchet.records import FailureBundle
from ratchet.state import FRESH, State
from ratchet.triage import diagnose_failures, groups


async def diagnose(state: State, config: RunnableConfig, engine: Engine) -> State:
    """Open a cycle for the failure (`agent`) or the largest group of open failures (`improve`) and find its cause.

    Ends at once, with an outcome that says why, where there is nothing to do or another cycle has the right of way.
    """
    bench = await engine.workbench(state["task"])
    thread_id = thread_of(config) or "no-thread"
    single = state.get("failure_id")
    graph = "agent" if single else "improve"
    failures = await _failures(engine, bench, thread_id, single)
    fresh: State = {} if single else FRESH
    if not failures:
        return {**fresh, "outcome": ended("nothing_to_do", f"{bench.task.name} has no open failures")}
    ids = [failure.id for failure in failures]
    component = failures[0].component
    mine = await engine.store.cycles.open_of_thread(thread_id)
    cycle_id = mine["id"] if mine and mine["document"].get("failures", ids) == ids else new_cycle_id()
    row = await engine.store.cycles.claim(cycle_id, bench.task.name, component, graph, thread_id)
    if row["id"] != cycle_id:
        message = f"cycle {row['id']} for {bench.task.name}/{component} is open ({row['status']}); failures wait for it"
        return {**fresh, "outcome": ended("waiting", message, cycle_id=row["id"])}
    await engine.store.failures.mark(ids, "in_cycle", cycle_id)
    await engine.store.cycles.record(cycle_id, {"failures": ids, "owner": process_name()})
    writer = get_stream_writer()
    update: State = {**fresh, "cycle_id": cycle_id, "outcome": None}
    try:
        with metered(await cycle_meter(engine, cycle_id)):
            diagnosis = await diagnose_failures(
                engine, bench, failures, lambda text: writer({"step": "diagnose", "text": text})
            )
    except BudgetError as error:
        return {**update, "outcome": ended("escalated", str(error), kind="budget", cycle_id=cycle_id)}
    document = diagnosis.model_dump(mode="json")
    await engine.store.cycles.record(cycle_id, {"diagnosis": document}, category=diagnosis.category)
    return {**update, "diagnosis": document}


async def _failures(engine: Engine, bench: Workbench, thread_id: str, single: str | None) -> list[FailureBundle]:
    """The failures to work on: those of the cycle that this thread has open, the given one, or the largest group."""
    mine = await engine.store.cycles.open_of_thread(thread_id)
    if single:
        return await engine.store.failures.bundles([single])
    if mine and mine["document"].get("failures"):
        return await engine.store.failures.bundles(mine["document"]["failures"])
    hidden = heldout_inputs(bench)
    rows = [
        row
        for row in await engine.store.failures.of_task(bench.task.name, "open")
        if row["bundle"]["input"].strip() not in hidden
    ]
    found = groups(rows)
    return await engine.store.failures.bundles(found[0].ids) if found else []
