"""`ratchet show`: a cycle, a run or a failure, by its id."""

from typing import Annotated, Any, NamedTuple

import typer

from ratchet.concurrency import run_main
from ratchet.errors import ConfigurationError
from ratchet.store import Store
from ratchet.store.rows import FailureRow, RunRow
from service.commands.options import AsJson
from service.console import out, print_json
from service.ids import whole_id
from service.report import next_steps, review
from service.run_report import run_report
from service.session import open_session
from service.whole_cycle import WholeCycle, whole_cycle


class ShownRun(NamedTuple):
    """A run, and its failure where it failed."""

    run: RunRow
    failure: FailureRow | None

    def as_json(self) -> dict[str, Any]:
        """The object that ``show --json`` prints."""
        return {**self.run, "failure": self.failure}


def show(
    shown_id: Annotated[
        str,
        typer.Argument(
            metavar="ID", help="A cycle (C-...), a run (R-...) or a failure (F-...); its beginning is enough."
        ),
    ],
    as_json: AsJson = False,
) -> None:
    """Show a cycle, a run or a failure whole, by its id or the beginning of it.

    Of a cycle: the failures, what was tried, cases won and lost, and last the change, its cause, the numbers, what it
    cost and what can be answered. Of a run: its trace, input, output and evaluation.
    """
    found = run_main(_show(shown_id))
    if as_json:
        print_json(found.as_json())
    elif isinstance(found, WholeCycle):
        out.print(review(found, with_failures=True))
        out.print(next_steps(found), highlight=False, soft_wrap=True)
    else:
        out.print(run_report(found.run, found.failure))


async def _show(given: str) -> WholeCycle | ShownRun:
    async with open_session() as session:
        store = session.engine.store
        found = await whole_id(store, given, "cycle", "review", "run", "failure")
        if found.startswith(("R-", "F-")):
            return await _run(store, found)
        return await whole_cycle(session, found)


async def _run(store: Store, given: str) -> ShownRun:
    """The run of that id, or of the failure of that id."""
    failure_id = given if given.startswith("F-") else f"F-{given.removeprefix('R-')}"
    failure = next(iter(await store.failures.select([failure_id])), None)
    run = await store.runs.get(failure["run_id"] if failure else given)
    if run is None:
        raise ConfigurationError(f"no run or failure {given!r}; `ratchet failures TASK` lists what failed")
    return ShownRun(run, failure)
