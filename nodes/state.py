"""The state of the graphs: plain JSON-able values only, so that every checkpoint reads back as it was written."""

from typing import Annotated, Any, Literal, NotRequired

from langchain_core.runnables import RunnableConfig
from langgraph.channels import EphemeralValue
from typing_extensions import TypedDict  # pydantic asks for it where LangGraph draws the schemas, before Python 3.12

from ratchet.engine import Engine
from ratchet.errors import RefusalError
from ratchet.store.rows import CycleRow, RunRow
from ratchet.store.statuses import ReviewKind
from ratchet.tasks import Expected

NO_THREAD = "no-thread"
"""What stands for the thread of a run without a checkpointer."""

OutcomeStatus = Literal[
    "passed",  # the run passed
    "unscored",  # nothing failed, and no criterion could decide
    "logged",  # the failure is stored
    "waiting",  # the failure is stored and another cycle is open
    "nothing_to_do",  # no stored failure to improve on
    "escalated",  # a person has to look at it
    "inconclusive",  # no change could be proven
    "applied",
    "rejected",
    "stale",  # approved too late: the prompt has changed since
    "conflict",  # another answer was given first
]


class OutcomeState(TypedDict):
    """How a run or a cycle ended."""

    status: OutcomeStatus
    """Where it stands."""
    message: str
    """One sentence for a person."""
    cycle_id: NotRequired[str | None]
    """The cycle it belongs to, or waits for."""
    version: NotRequired[int | None]
    """The version that was made."""
    kind: NotRequired[ReviewKind]
    """What the review queue files it under."""


class AgentInput(TypedDict):
    """What `agent` and `serve` are invoked with."""

    task: str
    """Name of a task."""
    input: str
    """What the agent is asked."""
    expected: NotRequired[Annotated[Expected, EphemeralValue]]
    """The right output, where it is known."""
    source: NotRequired[Annotated[str | None, EphemeralValue]]
    """Who the run came from; the thread if left out."""


class ImproveInput(TypedDict):
    """What `improve` is invoked with."""

    task: str
    """Name of a task with stored failures."""
    failures: NotRequired[Annotated[list[str] | None, EphemeralValue]]
    """Ids of the open failures to work on; the largest group if left out."""
    hint: NotRequired[Annotated[str | None, EphemeralValue]]
    """What a person would try; proposals follow it also where no experiment helped."""


class Output(TypedDict, total=False):
    """What a caller gets back."""

    run_id: str
    """The run as it is stored."""
    output: str
    """The agent's reply."""
    evaluation: dict[str, Any] | None
    """`ratchet.records.Evaluation`."""
    failure_id: str | None
    """The stored failure, if the run failed."""
    diagnosis: dict[str, Any] | None
    """`ratchet.records.Diagnosis`."""
    proposal: dict[str, Any] | None
    """`ratchet.records.Proposal`."""
    validation: dict[str, Any] | None
    """`ratchet.records.Validation`."""
    decision: dict[str, Any] | None
    """`ratchet.records.Decision`."""
    outcome: OutcomeState | None
    """How it ended."""


class State(Output, total=False):
    """Everything the nodes pass on."""

    task: str
    """Name of the task."""
    input: str
    """What the agent was asked."""
    expected: Annotated[Expected, EphemeralValue]
    """The right output, where it is known; of the input only, so that it never outlives its run."""
    source: Annotated[str | None, EphemeralValue]
    """Who the run came from; of the input only."""
    failures: Annotated[list[str] | None, EphemeralValue]
    """The failures that a cycle was asked for; of the input only."""
    hint: Annotated[str | None, EphemeralValue]
    """A person's hint, up to the routing after the diagnosis; from there on the cycle's document has it."""
    cycle_id: str | None
    """The improvement cycle."""
    candidates: list[dict[str, Any]]
    """`ratchet.records.Candidate`s that will race."""
    refused: list[dict[str, Any]]
    """`ratchet.records.CandidateResult`s of the candidates that were refused."""
    feedback: str
    """What a person asked of the proposals that are looked for: feedback on a rejected one, else a hint."""
    round: int
    """How many times a proposal was asked for in this cycle."""
    problem: str | None
    """Why an earlier answer to the approval request was not accepted."""


FRESH: State = {
    "evaluation": None,
    "failure_id": None,
    "diagnosis": None,
    "proposal": None,
    "validation": None,
    "decision": None,
    "outcome": None,
    "cycle_id": None,
    "candidates": [],
    "refused": [],
    "feedback": "",
    "round": 0,
    "problem": None,
}
"""What a new run or cycle in a used thread starts from."""


def thread_of(config: RunnableConfig) -> str | None:
    """The thread a node runs in; None where the graph has no checkpointer."""
    thread_id = config.get("configurable", {}).get("thread_id")
    return None if thread_id is None else str(thread_id)


def ending(status: OutcomeStatus, message: str, **more: Any) -> OutcomeState:
    """An outcome."""
    return {"status": status, "message": message, **more}  # type: ignore[typeddict-item]


async def own_run(engine: Engine, state: State, config: RunnableConfig) -> RunRow:
    """The run that this thread has served, as it is stored. A client may write any id into the state.

    Raises:
        RefusalError: there is no such run, or it is another thread's.
    """
    run_id = str(state.get("run_id"))
    row = await engine.store.runs.get(run_id)
    if row is None or row["thread_id"] != thread_of(config):
        raise RefusalError(f"run {run_id!r:.60} is not one of this thread; nothing was changed")
    return row


async def own_cycle(engine: Engine, state: State, config: RunnableConfig) -> CycleRow:
    """The cycle that this thread works on, as it is stored. A client may write any id into the state.

    Raises:
        RefusalError: there is no such cycle, it is another thread's, or it waits for a person.
    """
    cycle_id = str(state.get("cycle_id"))
    row = await engine.store.cycles.get(cycle_id)
    if row is None or row["thread_id"] != (thread_of(config) or NO_THREAD) or row["status"] == "awaiting_approval":
        raise RefusalError(f"cycle {cycle_id!r:.60} is not one that this thread works on; nothing was changed")
    return row
