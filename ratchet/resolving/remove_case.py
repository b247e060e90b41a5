"""A person takes back a case that was approved."""

from functools import partial

from ratchet.engine import Engine
from ratchet.errors import ConfigurationError
from ratchet.ledger.audit import append
from ratchet.store.cases import REMOVED, delete_case
from ratchet.store.rows import CaseRow


async def remove_case(engine: Engine, task: str, case_id: str, *, reviewer: str, reason: str) -> CaseRow:
    """Remove an approved case and return it; from the next run on it is no case any more, and it may be approved again.

    One that was held out may be trained on from then on, as nothing is measured on it any more. One that was trained on
    can only become a training case again, see `approve_case`: examples in the prompt in force may come from it. The
    failure it came from keeps its status.

    Raises:
        ConfigurationError: no such case was approved. Nothing was changed.
        AlreadyDecidedError: it was removed at the same moment.
    """
    bench = await engine.workbench(task)
    name = bench.task.name
    row = next((row for row in await engine.store.cases.of_task(name) if row["id"] == case_id), None)
    if row is None:
        if any(case.id == case_id for case in bench.cases):
            raise ConfigurationError(
                f"{name}: the case {case_id!r} stands in {bench.task.folder / 'cases.jsonl'}; take its line out there"
            )
        raise ConfigurationError(f"{name}: no approved case {case_id!r}; `ratchet cases list {name}` lists them")
    note = partial(
        append, actor=reviewer, action=REMOVED, task=name, subject=case_id, reason=reason, input=row["input"],
        expected=row["expected"], split=row["split"], origin=row["origin"], approved_by=row["approved_by"],
    )  # fmt: skip
    await engine.store.transact([partial(delete_case, row=row), note])
    return row
