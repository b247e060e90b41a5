import asyncio
from collections import Counter
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError
from stored import at_once

from ratchet.errors import RatchetError
from ratchet.store import Database, Store
from ratchet.store.statuses import OPEN_CYCLE as OPEN

pytestmark = pytest.mark.anyio
TASKS = (f"task {number}" for number in count())
"""A name of its own for every example of a property."""


def test_claim_of_many_threads_opens_one_cycle(database_url: str) -> None:
    databases = [Database(database_url) for _ in range(4)]
    rows = at_once(8, lambda n: Store(databases[n % 4]).cycles.claim(f"C-{n}", "t", "c", "agent", f"thread-{n}"))
    found = asyncio.run(Store(databases[0]).cycles.select(status=OPEN))
    assert len(found) == 1
    assert {row["id"] for row in rows} == {found[0]["id"]}
    for database in databases:
        database.close()


async def test_claim_is_per_task_and_component(store: Store) -> None:
    for number, (task, component) in enumerate([("t", "a"), ("t", "b"), ("u", "a")]):
        row = await store.cycles.claim(f"C-{number}", task, component, "agent", "x")
        assert row["id"] == f"C-{number}"


async def test_claim_of_the_own_cycle_again_returns_it(store: Store) -> None:
    first = await store.cycles.claim("C", "t", "c", "agent", "x")
    assert await store.cycles.claim("C", "t", "c", "agent", "x") == first


@pytest.mark.parametrize(("status", "free"), [(s, False) for s in OPEN] + [("applied", True), ("rejected", True)])
async def test_claim_is_free_after_the_end(store: Store, status: str, free: bool) -> None:
    await store.cycles.claim("C-1", "t", "c", "agent", "x")
    await store.cycles.record("C-1", {}, status=status)
    assert ((await store.cycles.claim("C-2", "t", "c", "agent", "y"))["id"] == "C-2") is free


async def test_record_merges_the_document_and_ends_the_cycle(store: Store) -> None:
    await store.cycles.claim("C", "t", "c", "agent", "x")
    await store.cycles.record("C", {"a": 1, "b": 1}, category="prompt")
    await store.cycles.record("C", {"b": 2}, status="applied", verdict="better")
    row = await store.cycles.get("C")
    assert row is not None
    assert (row["document"], row["category"], row["verdict"]) == ({"a": 1, "b": 2}, "prompt", "better")
    assert row["finished_at"] is not None
    with pytest.raises(RatchetError, match="no cycle 'gone'"):
        await store.cycles.record("gone", {})


async def test_open_of_thread_is_the_open_cycle(store: Store) -> None:
    await store.cycles.claim("C", "t", "c", "agent", "x")
    assert (await store.cycles.open_of_thread("x") or {})["id"] == "C"
    await store.cycles.record("C", {}, status="rejected")
    assert await store.cycles.open_of_thread("x") is None


def test_take_over_of_many_threads_lets_one_go_on(database_url: str) -> None:
    databases = [Database(database_url) for _ in range(4)]
    stores = [Store(database) for database in databases]
    asyncio.run(stores[0].cycles.claim("C", "t", "c", "agent", "x", {"owner": "dead", "failures": ["F"]}))
    taken = at_once(8, lambda n: stores[n % 4].cycles.take_over("C", f"p{n}", lambda owner, beat: owner == "dead"))
    document = (asyncio.run(stores[0].cycles.get("C")) or {})["document"]
    assert taken.count(True) == 1
    assert document == {"owner": f"p{taken.index(True)}", "failures": ["F"]}
    for database in databases:
        database.close()


@pytest.mark.parametrize("status", ["awaiting_approval", "applied"])
async def test_take_over_is_for_running_cycles_only(store: Store, status: str) -> None:
    await store.cycles.claim("C", "t", "c", "agent", "x")
    await store.cycles.record("C", {}, status=status)
    assert not await store.cycles.take_over("C", "me", lambda owner, beat: True)
    assert not await store.cycles.take_over("C-unknown", "me", lambda owner, beat: True)


async def test_claim_that_lacks_a_value_is_an_error(store: Store) -> None:
    with pytest.raises(IntegrityError, match=r"NOT NULL.*cycles\.thread_id"):
        await store.cycles.claim("C", "t", "c", "agent", None)  # type: ignore[arg-type]


async def test_move_turns_a_cycle_to_a_component_that_is_free(store: Store) -> None:
    await store.cycles.claim("C-1", "t", "a", "agent", "x")
    assert await store.cycles.move("C-1", "b") is None
    assert (await store.cycles.get("C-1") or {})["component"] == "b"
    assert (await store.cycles.claim("C-2", "t", "a", "agent", "y"))["id"] == "C-2"


async def test_move_tells_of_the_cycle_that_is_in_the_way(store: Store) -> None:
    await store.cycles.claim("C-1", "t", "a", "agent", "x")
    other = await store.cycles.claim("C-2", "t", "b", "agent", "y")
    assert await store.cycles.move("C-1", "b") == other
    assert (await store.cycles.get("C-1") or {})["component"] == "a"


async def test_move_that_breaks_another_constraint_is_an_error(store: Store) -> None:
    await store.cycles.claim("C-1", "t", "a", "agent", "x")
    with pytest.raises(IntegrityError, match=r"NOT NULL.*cycles\.component"):
        await store.cycles.move("C-1", None)  # type: ignore[arg-type]


CLAIM = st.tuples(st.just("claim"), st.sampled_from("abc"))
MOVE = st.tuples(st.just("move"), st.sampled_from("abc"))
END = st.tuples(st.just("end"), st.sampled_from(["applied", "rejected", "gave_way"]))
WAIT = st.tuples(st.just("end"), st.sampled_from(OPEN))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), CLAIM | MOVE | END | WAIT), max_size=12))
def test_one_cycle_at_most_is_open_whatever_is_done(store: Store, steps: list[tuple[int, tuple[str, str]]]) -> None:
    """And each claim or move that is told of another cycle is told of the one that holds its component."""
    task = next(TASKS)

    async def step(name: str, what: str, value: str) -> None:
        mine = await store.cycles.get(name)
        holders = {row["component"]: row["id"] for row in await store.cycles.select(task=task, status=OPEN)}
        if what == "claim":
            there = mine["id"] if mine else holders.get(value, name)
            assert (await store.cycles.claim(name, task, value, "agent", name))["id"] == there
        elif mine and what == "move" and mine["status"] in OPEN:
            other = await store.cycles.move(name, value)
            assert (other and other["id"]) == (holders.get(value) if holders.get(value) != name else None)
        elif mine and what == "end" and mine["status"] in OPEN:
            await store.cycles.record(name, {}, status=value)  # type: ignore[arg-type]

    async def play() -> None:
        for number, (what, value) in steps:
            await step(f"{task} C-{number}", what, value)
            rows = await store.cycles.select(task=task, status=OPEN)
            assert set(Counter(row["component"] for row in rows).values()) <= {1}
            assert all(row["finished_at"] is None for row in rows)

    asyncio.run(play())


@pytest.mark.parametrize("late", OPEN)
async def test_cycle_that_has_ended_is_not_opened_by_whoever_is_late(store: Store, late: str) -> None:
    await store.cycles.claim("C", "t", "c", "agent", "x")
    await store.cycles.record("C", {}, status="applied")
    ended = await store.cycles.get("C")
    await store.cycles.record("C", {"a": 1}, status=late)
    row = await store.cycles.get("C")
    assert ended is not None
    assert row is not None
    assert (row["status"], row["finished_at"], row["document"]) == ("applied", ended["finished_at"], {"a": 1})
