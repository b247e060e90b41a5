"""Find the cause by experiment."""

from typing import NamedTuple

from langchain_core.runnables import RunnableConfig
from langgraph.config import get_stream_writer

from nodes.state import FRESH, NO_THREAD, OutcomeState, State, ending, thread_of
from ratchet.calibration.canary import canary_problem
from ratchet.concurrency import to_thread
from ratchet.cycles.choice import Choice, failures_to_work_on
from ratchet.cycles.owner import new_cycle_id, process_name
from ratchet.cycles.spending import charged_to
from ratchet.engine import Engine, Workbench
from ratchet.errors import BudgetError, TriageError
from ratchet.records import Diagnosis, FailureBundle
from ratchet.store.documents import CycleDocument
from ratchet.store.rows import CycleGraph, CycleRow
from ratchet.store.statuses import OPEN_CYCLE, ReviewKind
from ratchet.triage import diagnose_failures


class _Claim(NamedTuple):
    """The cycle that these failures belong to, or the outcome that says why there is none."""

    cycle_id: str | None
    outcome: OutcomeState | None
    hint: str | None = None


async def diagnose(state: State, config: RunnableConfig, engine: Engine) -> State:
    """Open a cycle for the failure or its group (`agent`), or for the largest group (`improve`), and find the cause.

    Ends at once, with an outcome that says why, where there is nothing to do or another cycle has the right of way.
    """
    bench = await engine.workbench(state["task"])
    thread_id = thread_of(config) or NO_THREAD
    fresh: State = {} if state.get("failure_id") else FRESH
    choice = await failures_to_work_on(
        engine, bench, thread_id, failure_id=state.get("failure_id"), wanted=state.get("failures")
    )
    if not choice.failures:
        return {**fresh, "outcome": await _nothing_to_do(engine, bench, choice, state.get("failure_id"))}
    graph: CycleGraph = "agent" if state.get("failure_id") else "improve"
    claim = await _claim(engine, bench, choice, thread_id, graph, state.get("hint"))
    if claim.cycle_id is None:
        return {**fresh, "outcome": claim.outcome}
    update: State = {**fresh, "cycle_id": claim.cycle_id, "outcome": None, "hint": claim.hint}
    return {**update, **await _diagnosis(engine, bench, choice.failures, claim.cycle_id)}


async def _nothing_to_do(engine: Engine, bench: Workbench, choice: Choice, logged: str | None) -> OutcomeState:
    others = await engine.store.cycles.select(task=bench.task.name, status=OPEN_CYCLE)
    if choice.ids and others:
        return _waits(bench, others[0]["component"], others[0])
    return (
        ending("logged", f"failure {logged} is stored; {choice.why}") if logged else ending("nothing_to_do", choice.why)
    )


async def _claim(
    engine: Engine, bench: Workbench, choice: Choice, thread_id: str, graph: CycleGraph, hint: str | None
) -> _Claim:
    ids = [failure.id for failure in choice.failures]
    component = choice.failures[0].component
    mine = await engine.store.cycles.open_of_thread(thread_id)
    cycle_id = mine["id"] if mine and mine["document"].get("failures", ids) == ids else new_cycle_id()
    work: CycleDocument = {"failures": ids, "owner": await to_thread(process_name)}
    if hint:
        work["hint"] = hint
    row = await engine.store.cycles.claim(cycle_id, bench.task.name, component, graph, thread_id, work)
    if row["id"] != cycle_id:
        return _Claim(None, _waits(bench, component, row))
    await engine.store.cycles.record(cycle_id, work)
    await engine.store.failures.mark(choice.ids, "in_cycle", cycle_id)
    return _Claim(cycle_id, None, hint or row["document"].get("hint"))


def _waits(bench: Workbench, component: str, other: CycleRow) -> OutcomeState:
    message = f"cycle {other['id']} for {bench.task.name}/{component} is open ({other['status']}); failures wait for it"
    return ending("waiting", message, cycle_id=other["id"])


async def _diagnosis(engine: Engine, bench: Workbench, failures: list[FailureBundle], cycle_id: str) -> State:
    writer = get_stream_writer()
    try:
        async with charged_to(engine, cycle_id):
            problem = await canary_problem(engine, bench)
            if problem:
                return {"outcome": ending("escalated", problem, kind="evaluator", cycle_id=cycle_id)}
            diagnosis = await diagnose_failures(
                engine, bench, failures, lambda text: writer({"step": "diagnose", "text": text})
            )
    except (BudgetError, TriageError) as error:
        kind: ReviewKind = "budget" if isinstance(error, BudgetError) else "error"
        return {"outcome": ending("escalated", str(error), kind=kind, cycle_id=cycle_id)}
    return await _note_diagnosis(engine, bench, failures, cycle_id, diagnosis)


async def _note_diagnosis(
    engine: Engine, bench: Workbench, failures: list[FailureBundle], cycle_id: str, diagnosis: Diagnosis
) -> State:
    """Note the diagnosis. Where it blames another component than the one that wrote the output, the cycle turns to that
    one, unless another cycle is at work on it."""
    if diagnosis.component != failures[0].component:
        other = await engine.store.cycles.move(cycle_id, diagnosis.component)
        if other is not None:
            await engine.store.failures.leave_cycle(cycle_id, "open")
            await engine.store.cycles.record(cycle_id, {"message": "gave way"}, status="gave_way")
            return {"outcome": _waits(bench, diagnosis.component, other)}
    document = diagnosis.model_dump(mode="json")
    await engine.store.cycles.record(cycle_id, {"diagnosis": document}, category=diagnosis.category)
    return {"diagnosis": document}
