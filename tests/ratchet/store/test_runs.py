import asyncio
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError
from stored import bundle, run_document

from ratchet.store import Store
from ratchet.store.runs import ScoredRun
from ratchet.tasks import CASE_SOURCE, names_case

pytestmark = pytest.mark.anyio
TASKS = (f"task {number}" for number in count())
"""A name of its own for every example of a property."""
SOURCE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)


async def test_runs_keep_outcomes_by_version(store: Store) -> None:
    for number, (passed, version) in enumerate([(True, 1), (None, 1), (False, 1), (True, 2)]):
        document = run_document(passed)
        for _ in range(2):
            await store.runs.add(f"R-{number}", "t", f"user-{number % 2}", document, version=version)
    assert await store.runs.outcomes("t", 1) == [ScoredRun(True, "user-0", ""), ScoredRun(False, "user-0", "")]


async def test_runs_tell_the_input_of_those_that_are_called_a_case(store: Store) -> None:
    document = run_document(input="Who?")
    await store.runs.add("R", "t", "case:c1", document, version=1)
    assert await store.runs.outcomes("t", 1) == [ScoredRun(True, "case:c1", "Who?")]


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
