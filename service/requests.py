"""Finding the approval request of a cycle in its thread, or making it again from the store where it is lost.

The store is what counts: a thread may have been deleted, forked or used for something else, and its checkpoints may be
gone or unreadable. A request that is made again stands in a thread of its own.
"""

import logging
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from ratchet.approval.door import stored_proposal
from ratchet.errors import RatchetError
from ratchet.store.documents import Dump
from ratchet.store.rows import CycleRow
from service.session import Session, thread_config

log = logging.getLogger(__name__)
_NODE = "request_approval"
"""The node that waits. A client can make others run beside it in the thread, which spoils it for an answer."""


class CycleThread(NamedTuple):
    """A graph and the config of the thread that a cycle goes on in."""

    graph: Any
    config: dict[str, Any]

    @property
    def id(self) -> str:
        """The thread's id."""
        return str(self.config["configurable"]["thread_id"])


def new_thread_id() -> str:
    """An id for a thread; the server lists only threads whose id is a UUID."""
    return str(uuid.uuid4())


def is_uuid(thread_id: str) -> bool:
    """Whether the server can have a thread of that id."""
    try:
        return str(uuid.UUID(thread_id)) == thread_id
    except ValueError:
        return False


async def waiting_thread(session: Session, row: CycleRow) -> CycleThread:
    """The thread in which a cycle's request waits for an answer now; it was made again if need be.

    Raises:
        RefusalError: what is stored of the cycle's proposal does not fit together.
    """
    thread = CycleThread(session.graph(row["graph"]), thread_config(row["thread_id"]))
    state = await _state(thread)
    if _is_about_to_ask(state, row):  # the process ended just before the interrupt
        await thread.graph.ainvoke(None, thread.config, durability="sync")
        state = await _state(thread)
    if state is not None and _open_nodes(state) == (_NODE,) and any(_asks_for(item, row) for item in state.interrupts):
        return thread
    return await make_request_again(session, row)


async def make_request_again(session: Session, row: CycleRow) -> CycleThread:
    """Put the request of a cycle that waits into a new thread, up to its interrupt."""
    stored = await stored_proposal(session.engine, str(_proposal_of(row).get("id")))
    thread = CycleThread(session.graph("improve"), thread_config(new_thread_id()))
    values = {
        "task": row["task"],
        "cycle_id": row["id"],
        "diagnosis": stored.diagnosis.model_dump(mode="json"),
        "proposal": stored.proposal.model_dump(mode="json"),
        "validation": stored.validation.model_dump(mode="json"),
        "round": stored.proposal.round,
    }
    await thread.graph.aupdate_state(thread.config, values, as_node="validate")
    await session.engine.store.cycles.move_to_thread(row["id"], "improve", thread.id)
    await thread.graph.ainvoke(None, thread.config, durability="sync")
    log.info("the request of cycle %s was made again in thread %s", row["id"], thread.id)
    return thread


async def finish(session: Session, row: CycleRow) -> dict[str, Any]:
    """Let a decision take effect whose process ended before it did; the outcome."""
    thread = CycleThread(session.graph(row["graph"]), thread_config(row["thread_id"]))
    state = await _state(thread)
    if state is not None and _open_nodes(state) == (_NODE,) and _has_proposal_of(state, row):
        await thread.graph.ainvoke(None, thread.config, durability="sync")
    else:
        thread = await make_request_again(session, row)
    return (await thread.graph.aget_state(thread.config)).values.get("outcome") or {}


async def settle(session: Session, row: CycleRow, after: float = 0.0) -> dict[str, Any] | None:
    """Let the decision on a cycle that waits take effect, if one was taken: its process has ended before that.

    The outcome; None where nobody has decided, or not `after` seconds ago, so that it may be about to take effect.

    Raises:
        RefusalError: what is stored of the cycle's proposal does not fit together.
    """
    stored = await stored_proposal(session.engine, str(_proposal_of(row).get("id")))
    if stored.decision is None or _age(stored.decided_at) < timedelta(seconds=after):
        return None
    return await finish(session, row)


def _age(at: str) -> timedelta:
    return datetime.now(UTC) - datetime.fromisoformat(at)


async def running_thread(session: Session, row: CycleRow) -> tuple[CycleThread, dict[str, Any] | None]:
    """The thread in which a running cycle goes on, and the input to go on with: none where its checkpoint is there."""
    thread = CycleThread(session.graph(row["graph"]), thread_config(row["thread_id"]))
    state = await _state(thread)
    if state is not None and _open_nodes(state) and state.values.get("task") == row["task"]:
        return thread, None
    thread = CycleThread(session.graph("improve"), thread_config(new_thread_id()))
    await session.engine.store.cycles.move_to_thread(row["id"], "improve", thread.id)
    return thread, {"task": row["task"]}


async def _state(thread: CycleThread) -> Any:
    """The thread's newest checkpoint; None where it cannot be read."""
    try:
        return await thread.graph.aget_state(thread.config)
    except RatchetError:
        raise
    except Exception as error:  # a damaged checkpoint may raise anything; the cycle must not be lost with it
        log.warning("the checkpoint of thread %s cannot be read: %.200r", thread.id, error)
        return None


def _open_nodes(state: Any) -> tuple[str, ...]:
    """The nodes that run next, or have run and whose writes are in no checkpoint yet. `next` leaves out the latter:
    where a process was killed between the two, the thread would look as if it had ended."""
    return tuple(task.name for task in state.tasks)


def _is_about_to_ask(state: Any, row: CycleRow) -> bool:
    """Only the waiting node is run here. Others may be at work in another process."""
    if state is None or state.interrupts or _open_nodes(state) != (_NODE,):
        return False
    return _has_proposal_of(state, row)


def _has_proposal_of(state: Any, row: CycleRow) -> bool:
    proposal = state.values.get("proposal") or {}
    return bool(state.values.get("cycle_id") == row["id"] and proposal.get("id") == _proposal_of(row).get("id"))


def _asks_for(interrupt: Any, row: CycleRow) -> bool:
    """Whether an interrupt puts the very change to a reviewer that the cycle waits with."""
    value = interrupt.value
    review = (value.get("review") or {}) if isinstance(value, dict) else {}
    asked = (review.get("id"), review.get("change_hash"))
    return bool(asked == (row["id"], _proposal_of(row).get("change_hash")))


def _proposal_of(row: CycleRow) -> Dump:
    return row["document"].get("proposal") or {}
