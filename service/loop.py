"""Driving the graphs from a command: running a cycle, answering an approval request."""

from typing import Any, NamedTuple

from langgraph.types import Command

from nodes.state import OutcomeStatus
from ratchet.approval.door import stored_proposal
from ratchet.concurrency import to_thread
from ratchet.cycles.owner import process_is_gone, process_name
from ratchet.engine import Workbench
from ratchet.errors import AlreadyDecidedError, ConfigurationError, RatchetError
from ratchet.records import Category, Verdict
from ratchet.resolving import CycleRequest, complete_all_forced
from ratchet.store.rows import CycleRow
from ratchet.store.statuses import OPEN_CYCLE, CycleStatus
from service.console import Tell
from service.requests import CycleThread, finish, new_thread_id, running_thread, settle, waiting_thread
from service.serving import Collected, collect_failures
from service.session import Session, thread_config

RunStatus = CycleStatus | OutcomeStatus
"""Where a cycle stands, or how a run of the graph ended that has none."""


class CycleResult(NamedTuple):
    """How one call of `improve` ended."""

    status: RunStatus
    message: str
    cycle_id: str | None = None
    thread_id: str | None = None
    category: Category | None = None
    verdict: Verdict | None = None
    calls: int = 0

    def as_json(self) -> dict[str, Any]:
        """The object that ``improve --json`` prints."""
        return self._asdict()


async def improve(session: Session, task: str, tell: Tell, collect: bool = True) -> CycleResult:
    """Run one cycle up to its approval request or its end; an open cycle of the task is continued or reported instead.

    Raises:
        ConfigurationError, ModelError: the cycle stays open and the next call goes on with it.
    """
    bench = await session.engine.workbench(task)
    await complete_all_forced(session.engine, task)
    waiting = await _open_cycle(session, bench)
    if waiting is not None:
        if waiting["status"] == "awaiting_approval":
            outcome = await settle(session, waiting)
            if outcome is not None:  # the process that took the decision ended before it took effect
                return await _result(session, waiting["id"], outcome["status"], outcome["message"])
            return await _result(session, waiting["id"], "awaiting_approval", "this change waits for an answer")
        me = await to_thread(process_name)
        if not await session.engine.store.cycles.take_over(waiting["id"], me, process_is_gone):
            message = f"cycle {waiting['id']} is running in {waiting['document'].get('owner') or 'another process'}"
            return await _result(session, waiting["id"], "running", message)
        thread, arguments = await running_thread(session, waiting)
        return await _run(session, thread, arguments, tell)
    collected = await collect_failures(session, bench, tell) if collect else Collected()
    result = await _run(session, _new_thread(session), {"task": task}, tell)
    return result if result.cycle_id else _with_collected(result, collected)


def _with_collected(result: CycleResult, collected: Collected) -> CycleResult:
    """Where nothing is to be done although models were silent or cases could not be scored, that is told: it is no
    pass."""
    told = [result.message, *collected.silent, *([collected.problem] if collected.problem else [])]
    nothing = bool(collected.unscored) and len(collected.unscored) == collected.served
    status: RunStatus = "unscored" if nothing and result.status == "nothing_to_do" else result.status
    return result._replace(status=status, message="; ".join(told))


async def retry(session: Session, arguments: CycleRequest, tell: Tell) -> CycleResult:
    """Run a cycle over given failures, up to its approval request or its end; `arguments` are `improve`'s input."""
    return await _run(session, _new_thread(session), arguments, tell)


def _new_thread(session: Session) -> CycleThread:
    return CycleThread(session.graph("improve"), thread_config(new_thread_id()))


async def _open_cycle(session: Session, bench: Workbench) -> CycleRow | None:
    rows = await session.engine.store.cycles.select(task=bench.task.name, status=OPEN_CYCLE)
    return rows[0] if rows else None


async def _run(session: Session, thread: CycleThread, arguments: Any, tell: Tell) -> CycleResult:
    compiled, config = thread
    stream = compiled.astream(arguments, config, stream_mode=["custom", "updates"], durability="sync")
    async for mode, event in stream:
        if mode == "custom":
            tell(text=f"{event['step']}: {event['text']}", done=event.get("done"), total=event.get("total"))
    state = await compiled.aget_state(config)
    outcome = state.values.get("outcome") or {}
    if state.interrupts:
        return await _result(session, state.values["cycle_id"], "awaiting_approval", "a change waits for an answer")
    return await _result(session, outcome.get("cycle_id"), outcome.get("status", "running"), outcome.get("message", ""))


async def _result(session: Session, cycle_id: str | None, status: RunStatus, message: str) -> CycleResult:
    row = await session.engine.store.cycles.get(cycle_id) if cycle_id else None
    if row is None:
        return CycleResult(status, message)
    return CycleResult(
        status=status,
        message=message,
        cycle_id=row["id"],
        thread_id=row["thread_id"],
        category=row["category"],
        verdict=row["verdict"],
        calls=(await session.engine.store.replies.spent_by(row["id"])).calls,
    )


async def answer(session: Session, name: str, reply: dict[str, Any]) -> dict[str, Any]:
    """Answer the approval request of a cycle; the outcome that follows from it.

    `name` is the id of the proposal that the reviewer has seen. The cycle's id stands for its first one.

    Raises:
        ConfigurationError: there is no such cycle, another proposal waits by now, or the answer was not accepted and
            the request waits again.
        AlreadyDecidedError: nothing waits for an answer any more, or somebody has decided before; says who.
        RefusalError: what is stored of the proposal does not fit together.
    """
    row, seen = await _cycle_of(session, name)
    cycle_id = row["id"]
    finished = await _late(session, row, reply)
    if finished is not None:
        return finished
    proposal = row["document"].get("proposal") or {}
    if proposal.get("id") != seen:
        raise ConfigurationError(
            f"another proposal waits by now; look at it with `ratchet show {cycle_id}`, and answer {proposal.get('id')}"
        )
    thread = await waiting_thread(session, row)
    resume: Command[Any] = Command(resume={**reply, "change_hash": proposal["change_hash"]})
    result = await thread.graph.ainvoke(resume, thread.config, durability="sync")
    if "__interrupt__" in result:
        problem = result["__interrupt__"][0].value.get("problem")
        if problem:
            raise ConfigurationError(f"the answer was not accepted: {problem}. The request still waits.")
        return {"status": "awaiting_approval", "message": "another proposal was made and waits", "cycle_id": cycle_id}
    await _check_whose(session, seen, reply)
    return _outcome_of(result, cycle_id)


async def _cycle_of(session: Session, name: str) -> tuple[CycleRow, str]:
    """The cycle, and the id of its proposal, that a reviewer names."""
    row = await session.engine.store.cycles.get(name)
    if row is not None:
        return row, f"{row['id']}-P1"
    proposal = await session.engine.store.proposals.get(name)
    row = await session.engine.store.cycles.get(proposal["cycle_id"]) if proposal else None
    if row is None:
        raise ConfigurationError(f"no cycle {name!r}; `ratchet inbox` lists what waits")
    return row, name


async def _check_whose(session: Session, proposal_id: str, reply: dict[str, Any]) -> None:
    """See that the decision in force is what `reply` says: another process may have been faster in the same thread."""
    stored = await stored_proposal(session.engine, proposal_id)
    if stored.decision is not None and stored.decision.type != reply["type"]:
        raise AlreadyDecidedError(f"cycle {stored.proposal.cycle_id} was decided before: {stored.decided}")


def _outcome_of(result: dict[str, Any], cycle_id: str) -> dict[str, Any]:
    outcome = result.get("outcome")
    if not isinstance(outcome, dict) or outcome.get("cycle_id") != cycle_id:
        raise RatchetError(f"cycle {cycle_id} ended without an outcome of its own; see `ratchet show {cycle_id}`")
    if outcome["status"] == "conflict":
        raise AlreadyDecidedError(outcome["message"])
    return outcome


async def _late(session: Session, row: CycleRow, reply: dict[str, Any]) -> dict[str, Any] | None:
    """Where somebody has decided before: finish a decision whose process ended before it took effect, and say whose it
    is. The outcome for whoever gives the same answer, None where nobody has decided.

    Raises:
        AlreadyDecidedError: the cycle does not wait, or the decision was another one.
    """
    cycle_id = row["id"]
    proposal = (row["document"].get("proposal") or {}).get("id")
    stored = await stored_proposal(session.engine, proposal) if proposal else None
    decided = stored.decided if stored else ""
    if row["status"] != "awaiting_approval":
        said = f": {decided}" if decided else ""
        see = f"; see `ratchet show {cycle_id}`" if row["status"] in ("escalated", "inconclusive") else ""
        raise AlreadyDecidedError(f"cycle {cycle_id} does not wait for an answer, it is {row['status']}{said}{see}")
    if stored is None or stored.decision is None:
        return None
    outcome = await finish(session, row)
    if stored.decision.type == reply["type"]:
        return outcome
    raise AlreadyDecidedError(f"cycle {cycle_id} was decided before: {decided}; it is {outcome.get('status')} now")
