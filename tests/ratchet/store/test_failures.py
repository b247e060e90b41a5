import asyncio
from functools import partial
from itertools import count
from typing import get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError
from stored import bundle

from ratchet.store import Store, now
from ratchet.store.failures import mark_failures, supersede_open
from ratchet.store.statuses import CLOSED_BY_PERSON, FailureStatus

pytestmark = pytest.mark.anyio
NUMBERS = count(1000)
"""A failure of its own for every example of a property."""
STATUS = st.sampled_from(get_args(FailureStatus))


async def test_failures_keep_bundles_oldest_first(store: Store) -> None:
    bundles = [bundle(number) for number in range(3)]
    for item in (*bundles, bundles[0]):
        await store.failures.add(item, "g")
    assert await store.failures.bundles(["F-2", "F-0"]) == [bundles[0], bundles[2]]
    assert await store.failures.count_open("t") == 3


async def test_failures_are_superseded_only_while_open(store: Store) -> None:
    for number in range(3):
        await store.failures.add(bundle(number), "g")
    await store.failures.mark(["F-1"], "in_cycle", "C")
    await store.transact([partial(supersede_open, task="t", component="other")])
    assert await store.failures.count_open("t") == 2
    await store.transact([partial(supersede_open, task="t", component="c")])
    statuses = {row["id"]: (row["status"], row["cycle_id"]) for row in await store.failures.of_task("t")}
    assert statuses == {"F-0": ("superseded", None), "F-1": ("in_cycle", "C"), "F-2": ("superseded", None)}


async def test_failures_that_a_person_closed_stay_closed(store: Store) -> None:
    for number in range(2):
        await store.failures.add(bundle(number), "g")
    await store.failures.mark(["F-0"], "corrected")
    await store.failures.mark(["F-0", "F-1"], "in_cycle", "C")
    rows = {row["id"]: (row["status"], row["cycle_id"]) for row in await store.failures.select(["F-0", "F-1", "F-9"])}
    assert rows == {"F-0": ("corrected", "C"), "F-1": ("in_cycle", "C")}
    await store.failures.mark(["F-0"], "dismissed")
    assert await store.failures.of_task("t", "dismissed")


async def test_worked_on_are_the_inputs_of_a_task_that_a_cycle_has_taken_up(store: Store) -> None:
    await store.failures.add(bundle(0).model_copy(update={"input": " in 0\n"}), "g")
    await store.failures.add(bundle(1), "g")
    assert await store.failures.worked_on("t") == set()
    await store.failures.mark(["F-0"], "in_cycle", "C")
    await store.failures.mark(["F-0"], "open")
    assert await store.failures.worked_on("t") == {"in 0"}
    assert await store.failures.worked_on("u") == set()


async def test_in_hands_counts_by_group_what_cycles_and_people_have(store: Store) -> None:
    for number, status in enumerate(["open", "in_cycle", "escalated", "fixed"]):
        await store.failures.add(bundle(number), "g")
        await store.failures.mark([bundle(number).id], status, None if status == "open" else "C")
    assert await store.failures.in_hands("t", "") == {"g": 2}
    assert await store.failures.in_hands("t", now()) == {}
    assert await store.failures.worked_on("t") == {"in 1", "in 2", "in 3"}


async def test_failure_without_a_group_is_an_error(store: Store) -> None:
    with pytest.raises(IntegrityError, match=r"NOT NULL.*failures\.group_key"):
        await store.failures.add(bundle(0), None)  # type: ignore[arg-type]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(st.lists(st.tuples(STATUS, st.none() | st.lists(STATUS, min_size=1, max_size=3)), max_size=8))
def test_what_a_person_closed_only_a_person_changes(
    store: Store, steps: list[tuple[FailureStatus, list[FailureStatus] | None]]
) -> None:
    """Whatever is marked, in whatever order; and a mark says of how many it set the status."""
    failure = bundle(next(NUMBERS))
    asyncio.run(store.failures.add(failure, "g"))
    status: FailureStatus = "open"
    for new, was in steps:
        counts: list[int] = []
        mark = partial(mark_failures, ids=[failure.id], status=new, was=was)
        asyncio.run(store.transact([lambda connection, mark=mark, counts=counts: counts.append(mark(connection))]))
        kept = (was and status not in was) or (status in CLOSED_BY_PERSON and new not in CLOSED_BY_PERSON)
        status = status if kept else new
        (row,) = asyncio.run(store.failures.select([failure.id]))
        assert (row["status"], counts) == (status, [0 if kept else 1])
