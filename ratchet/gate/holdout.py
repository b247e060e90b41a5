"""Held-out cases rotate in from production: which inputs may, which do, and in which order a test looks at its cases.

An input of live traffic may rotate in where its `stable_split` is ``holdout`` and no case of the task has it. No cycle
may ever have worked on a failure with it. Where a required criterion has to know what is expected, that is known.
Passed and failed runs count alike, so that the sample is that of the traffic.

All of it is settled before the first result of a test and kept with it (`ratchet.store.gate_cases`). It depends on what
earlier tests looked at, never on the candidate, so that the test stays valid.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence, Set
from typing import NamedTuple

from ratchet.engine import Engine, Workbench
from ratchet.evaluators import needs_expected
from ratchet.store.rows import FailureRow, GateCaseRow, NewGateCase
from ratchet.store.runs import PastRun
from ratchet.tasks import Case, Expected, Task, case_id, names_case, stable_split
from ratchet.tasks.sampling import shuffled
from ratchet.text import normal_form

PER_SOURCE = 200
"""Runs of one source that are looked at, the newest."""
LOOKED_AT = 2000
"""Runs of a task that are looked at, the newest."""


class HeldOut(NamedTuple):
    """A held-out case, the run it comes from (None for a case of the task), and the decisions it took part in."""

    case: Case
    run: PastRun | None
    decisions: int


class Settled(NamedTuple):
    """The cases of a test in their order, and the ids of those that come from production."""

    cases: list[Case]
    production: set[str]
    planned: int
    """How many there were when they were settled."""


async def settled_cases(engine: Engine, bench: Workbench, test_id: str, *, salt: str, worked_on: Set[str]) -> Settled:
    """The cases of the test `test_id`: chosen at the first call, the same in the same order ever after.

    Two kinds of cases are not held out any more and left out. Some have become training cases since, and on some this
    cycle has worked (inputs `worked_on`, in normal form).
    """
    store, task = engine.store, bench.task.name
    rows = await store.gate_cases.of_test(test_id)
    if not rows:
        own = await own_cases(engine, bench)
        chosen = in_order([own, await production_cases(engine, bench)], salt)
        chosen = [held for held in chosen if held.case.form not in worked_on]
        rows = await store.gate_cases.settle(test_id, task, [_row(held) for held in chosen])
    seen = worked_on | {case.form for case in bench.train}
    left = [row for row in rows if normal_form(row["input"]) not in seen]
    return Settled([_case(row) for row in left], {row["case_id"] for row in left if row["run_id"]}, len(rows))


async def own_cases(engine: Engine, bench: Workbench) -> list[HeldOut]:
    """The held-out cases of the task, from its file and approved by people."""
    decisions = await engine.store.gate_cases.decisions(bench.task.name)
    return [HeldOut(case, None, decisions[case.form]) for case in bench.holdout]


async def production_cases(engine: Engine, bench: Workbench) -> list[HeldOut]:
    """The inputs from production that take part in the next test, see `fair_share`."""
    most, task = bench.task.holdout.production, bench.task.name
    if not most:
        return []
    runs = await engine.store.runs.recent(task, per_source=PER_SOURCE, limit=LOOKED_AT)
    closed = await _exclusion(engine, bench)
    decisions = await engine.store.gate_cases.decisions(task)
    newest: dict[str, PastRun] = {}
    for run in runs:
        form = normal_form(run.input)
        if form not in newest and not closed(form) and may_rotate_in(bench.task, run.input, run.expected):
            newest[form] = run
    pool = [HeldOut(_new_case(run), run, decisions[form]) for form, run in newest.items()]
    return fair_share(pool, most, engine.settings.min_sources)


def may_rotate_in(task: Task, text: str, expected: Expected) -> bool:
    """Whether an input of live traffic is one that may be held out, if nobody has worked on it."""
    if not task.holdout.production or not text.strip() or stable_split(text) != "holdout":
        return False
    return expected is not None or not any(item.required and needs_expected(item) for item in task.criteria)


def fair_share(pool: Sequence[HeldOut], most: int, least_sources: int) -> list[HeldOut]:
    """At most `most` of the pool (newest first): those with the fewest decisions, of these the newest.

    No source has more than one in `least_sources` of them, so that none alone decides; with fewer sources there is no
    such choice, and it is empty.
    """
    met = Counter(held.run.source for held in pool if held.run)
    share = next((n for n in range(most, 0, -1) if n * least_sources <= _total(met, n, most)), 0)
    taken: Counter[str] = Counter()
    chosen: list[HeldOut] = []
    for held in sorted(pool, key=lambda held: held.decisions):
        if held.run and taken[held.run.source] < share and len(chosen) < most:
            taken[held.run.source] += 1
            chosen.append(held)
    return chosen


def _total(met: Counter[str], share: int, most: int) -> int:
    """How many there are where no source gives more than `share`."""
    return min(most, sum(min(count, share) for count in met.values()))


def in_order(kinds: Iterable[Sequence[HeldOut]], salt: str) -> list[HeldOut]:
    """All cases in the order of a test: of each kind those with the fewest decisions first, equal ones shuffled by
    `salt`. The kinds go in step, so that wherever the test stops it has looked at the same share of each."""
    placed = []
    for kind in kinds:
        row = sorted(shuffled(kind, key=lambda held: held.case.id, salt=salt), key=lambda held: held.decisions)
        placed += [((place + 0.5) / len(row), held) for place, held in enumerate(row)]
    return [held for _, held in sorted(placed, key=lambda pair: pair[0])]


async def left_to_holdout(engine: Engine, bench: Workbench, rows: Sequence[FailureRow]) -> set[str]:
    """Ids of those failures whose inputs may be held out as long as no cycle works on them."""
    closed = await _exclusion(engine, bench)
    return {
        row["id"]
        for row in rows
        if not names_case(row["source"])
        and not closed(normal_form(row["bundle"]["input"]))
        and may_rotate_in(bench.task, row["bundle"]["input"], row["bundle"]["expected"])
    }


async def _exclusion(engine: Engine, bench: Workbench) -> Callable[[str], bool]:
    """Whether an input, in normal form, can never rotate in: it is a case, was a training case once, or a cycle has
    worked on it."""
    store, task = engine.store, bench.task.name
    known = {case.form for case in bench.cases} | await store.failures.worked_on(task)
    closed = known | await store.cases.trained_on(task)
    return lambda form: form in closed


def _new_case(run: PastRun) -> Case:
    text = run.input.strip()
    return Case(id=case_id(text), input=text, expected=run.expected, split="holdout")


def _row(held: HeldOut) -> NewGateCase:
    case, run = held.case, held.run
    return {"case_id": case.id, "input": case.input, "expected": case.expected, "run_id": run and run.id}


def _case(row: GateCaseRow) -> Case:
    return Case(id=row["case_id"], input=row["input"], expected=row["expected"], split="holdout")
