import asyncio
from collections import Counter
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError
from stored import bundle, run_document

from ratchet.store import Database, Store, now
from ratchet.store.runs import RunTally
from ratchet.store.schema import runs
from ratchet.tasks import CASE_SOURCE, names_case

pytestmark = pytest.mark.anyio
TASKS = (f"task {number}" for number in count())
"""A name of its own for every example of a property."""
SOURCE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)


async def test_tallies_count_the_scored_runs_of_a_version(store: Store) -> None:
    for number, (passed, version) in enumerate([(True, 1), (None, 1), (False, 1), (True, 2), (False, 1)]):
        document = run_document(passed)
        for _ in range(2):
            await store.runs.add(f"R-{number}", "t", f"user-{number % 2}", document, version=version)
    assert sorted(await store.runs.tallies("t", 1)) == [RunTally(False, "", "", 2), RunTally(True, "", "", 1)]
    assert await store.runs.tallies("u", 1) == []


async def test_tallies_tell_source_and_input_of_runs_that_are_called_a_case(store: Store) -> None:
    for number, (source, text) in enumerate(
        [("case:c1", "Who?"), ("case:c1", "Who?"), ("case:c1", "What?"), ("c1", "")]
    ):
        await store.runs.add(f"R-{number}", "t", source, run_document(input=text), version=1)
    assert sorted(await store.runs.tallies("t", 1)) == [
        RunTally(True, "", "", 1),
        RunTally(True, "case:c1", "What?", 1),
        RunTally(True, "case:c1", "Who?", 2),
    ]


async def test_served_cases_are_those_under_the_version_with_what_was_asked(store: Store) -> None:
    for number, (source, version) in enumerate([("case:a", 1), ("case:b", 2), ("ada", 1), ("case:c", 1)]):
        document = run_document(input=f"in {number}")
        await store.runs.add(f"R-{number}", "t", source, document, version=version)
    assert await store.runs.served_cases("t", 1) == {("case:a", "in 0"), ("case:c", "in 3")}


async def test_failed_case_is_not_served_before_its_failure_is_stored(store: Store) -> None:
    document = run_document(False)
    for number in range(2):
        await store.runs.add(f"R-{number}", "t", f"case:{number}", document, version=1)
    await store.failures.add(bundle(0), "g")
    assert await store.runs.served_cases("t", 1) == {("case:0", "x")}


async def test_recent_runs_are_the_newest_of_each_source(store: Store) -> None:
    for number, (source, passed) in enumerate([("a", True), ("a", False), ("b", None), ("a", True), ("case:c1", True)]):
        document = run_document(passed, input=f"in {number}", expected=["x", {"y": number}])
        await store.runs.add(f"R-{number}", "t", source, document, version=1)
    found = await store.runs.recent("t", per_source=2, limit=10)
    assert [(run.id, run.source, run.input, run.expected) for run in found] == [
        ("R-3", "a", "in 3", ["x", {"y": 3}]),
        ("R-1", "a", "in 1", ["x", {"y": 1}]),
    ]
    assert [run.id for run in await store.runs.recent("t", per_source=2, limit=1)] == ["R-3"]
    assert await store.runs.recent("u", per_source=2, limit=10) == []


async def test_run_without_a_source_is_an_error(store: Store) -> None:
    with pytest.raises(IntegrityError, match=r"NOT NULL.*runs\.source"):
        await store.runs.add("R", "t", None, run_document(), version=1)  # type: ignore[arg-type]


async def test_run_of_a_ticket_named_in_capitals_is_live_traffic(store: Store) -> None:
    await store.runs.add("R", "t", "Case: 4711", run_document(expected="y"), version=1)
    assert [run.id for run in await store.runs.recent("t", per_source=1, limit=9)] == ["R"]
    assert await store.runs.served_cases("t", 1) == set()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(SOURCE | st.builds(str.__add__, st.sampled_from([CASE_SOURCE, CASE_SOURCE.upper(), CASE_SOURCE[:-1]]), SOURCE))
def test_store_and_code_agree_on_who_names_a_case(store: Store, source: str) -> None:
    task = next(TASKS)
    asyncio.run(store.runs.add(f"R of {task}", task, source, run_document(expected="y"), version=1))
    live = asyncio.run(store.runs.recent(task, per_source=1, limit=1))
    cases = asyncio.run(store.runs.served_cases(task, 1))
    assert (bool(cases), bool(live)) == (names_case(source), not names_case(source))


RUN = st.tuples(
    st.sampled_from([True, False, None]),
    st.sampled_from(["ada", "case:c1", "case:c2", "Case:c1", "case:", "case"]),
    st.sampled_from(["Who?", "What?", ""]),
    st.sampled_from([1, 2]),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(st.lists(RUN, max_size=12))
def test_tallies_are_the_scored_runs_one_by_one(
    store: Store, database: Database, served: list[tuple[bool | None, str, str, int]]
) -> None:
    task = next(TASKS)
    rows = [
        {"id": f"{task} R-{number}", "task": task, "source": source, "passed": passed, "version": version,
         "document": run_document(passed, input=text), "created_at": now()}
        for number, (passed, source, text, version) in enumerate(served)
    ]  # fmt: skip
    with database.write() as connection:
        for row in rows:
            connection.execute(insert(runs).values(row))
    expected = Counter(
        (passed, source, text) if names_case(source) else (passed, "", "")
        for passed, source, text, version in served
        if version == 1 and passed is not None
    )
    found = asyncio.run(store.runs.tallies(task, 1))
    assert {(tally.passed, tally.source, tally.input): tally.runs for tally in found} == expected
    assert len(found) == len(expected)
