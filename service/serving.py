"""Serving runs from a command: one, or training cases until enough of them have failed."""

import asyncio
import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from nodes.state import State
from ratchet.concurrency import gather
from ratchet.counting import quantity
from ratchet.cycles.choice import failures_to_work_on
from ratchet.engine import Workbench
from ratchet.errors import BudgetError, RatchetError
from ratchet.llm import Meter, metered
from ratchet.tasks import Case
from ratchet.tasks.sampling import shuffled
from service.console import Tell
from service.requests import new_thread_id
from service.session import Session, thread_config

ENOUGH_FAILURES = 12
"""Failures that a cycle has enough to go on with: experiments and races look at a sample of them anyway."""
LEAST_RATE = 0.1
"""Share of failing cases that the next ones to serve are reckoned with, at least."""


class Collected(NamedTuple):
    """What came of serving training cases."""

    served: int = 0
    unscored: Sequence[str] = ()
    """Of those that could not be scored, why."""
    silent: Sequence[str] = ()
    """Lines on roles none of whose requests got a usable reply."""

    @property
    def problem(self) -> str:
        """What is to be told; "" where all were scored."""
        if not self.unscored:
            return ""
        cases = f"{len(self.unscored)} of {quantity(self.served, 'training case')}"
        return f"{cases} served: {self.unscored[0]}"


async def serve(
    session: Session, task: str, text: str, expected: Any, source: str | None, *, reuse: bool = False
) -> State:
    """Serve one run in a thread of its own; with `reuse`, a reply that was paid for before is good enough."""
    config = thread_config(new_thread_id())
    config["configurable"]["reuse"] = reuse
    arguments = {"task": task, "input": text, "expected": expected, "source": source}
    result: State = await session.graph("serve").ainvoke(arguments, config, durability="exit")
    return result


async def collect_failures(session: Session, bench: Workbench, tell: Tell) -> Collected:
    """Where no failure is there to work on, serve training cases until `ENOUGH_FAILURES` have failed; where an earlier
    collection ended in between, go on with it. No case is served twice under the prompts in force. It may pay for as
    many calls as a cycle may, and leaves the cases that it could not pay for to the next time.

    Raises:
        ConfigurationError, ModelError.
        BudgetError: the calls were used up before anything failed.
    """
    served = await session.engine.store.runs.served_cases(bench.task.name, bench.version)
    todo = shuffled([case for case in bench.train if (case.source, case.form) not in served], key=lambda case: case.id)
    begun = len(todo) < len(bench.train)
    failed = await _count_failed(session, bench)
    states: list[State] = []
    if failed and not begun:
        return Collected()
    meter = Meter(limit=session.engine.settings.max_calls)
    try:
        with metered(meter):
            await _serve_until_enough(session, bench, todo, failed, tell, states)
    except BudgetError as error:
        if not await _count_failed(session, bench):
            raise
        tell(text=f"serving training cases ends: {error}", done=None, total=None)
    ends = [outcome for state in states if (outcome := state["outcome"])]
    unscored = [outcome["message"] for outcome in ends if outcome["status"] == "unscored"]
    return Collected(len(states), unscored, meter.silent())


async def _serve_until_enough(
    session: Session, bench: Workbench, todo: Sequence[Case], failed: int, tell: Tell, states: list[State]
) -> None:
    """Serve as many cases at once as are reckoned to be needed, until enough have failed or none is left. Their
    `states` are added in the order of their ends."""
    all_cases, start, rate = len(todo), failed, 1.0
    while todo and failed < ENOUGH_FAILURES:
        count = math.ceil((ENOUGH_FAILURES - failed) / max(rate, LEAST_RATE))
        done = all_cases - len(todo)

        def progress(now: int, before: int = done) -> None:
            tell(text=f"serving training cases until {ENOUGH_FAILURES} have failed", done=before + now, total=all_cases)

        await _serve_cases(session, bench.task.name, todo[:count], progress, states)
        todo = todo[count:]
        failed = await _count_failed(session, bench)
        rate = (failed - start) / (all_cases - len(todo))


async def _count_failed(session: Session, bench: Workbench) -> int:
    """Failures that a cycle could work on now."""
    choice = await failures_to_work_on(session.engine, bench, "")
    return len(choice.ids) if choice.failures else 0


async def _serve_cases(
    session: Session, task: str, todo: Sequence[Case], progress: Callable[[int], None], states: list[State]
) -> None:
    """After an error no run is begun any more, and those under way end by themselves: their calls are paid for."""
    done = 0
    met: list[RatchetError] = []
    gate = asyncio.Semaphore(2 * session.engine.settings.concurrency)

    async def one(case: Case) -> None:
        nonlocal done
        async with gate:
            if met:
                return
            try:
                states.append(await serve(session, task, case.input, case.expected, case.source, reuse=True))
            except RatchetError as error:
                met.append(error)
                return
        done += 1
        progress(done)

    await gather(one(case) for case in todo)
    if met:
        raise met[0]
