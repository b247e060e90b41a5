import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ratchet.errors import AlreadyDecidedError, ConfigurationError, RatchetError
from ratchet.gate import error_level
from ratchet.llm import Reply
from ratchet.prompting import TaskPrompt
from ratchet.records import Evaluation, FailureBundle, Spent
from ratchet.store import Database, Store, now
from ratchet.store.cases import delete_case, insert_case, stamp_of
from ratchet.store.failures import supersede_open
from ratchet.store.reviews import answer_item
from ratchet.store.runs import ScoredRun

pytestmark = pytest.mark.anyio
OPEN = ("running", "awaiting_approval")
TEXT = st.text(st.characters(exclude_categories=["Cs"]))


def bundle(number: int, source: str = "s") -> FailureBundle:
    return FailureBundle(
        id=f"F-{number}", run_id=f"R-{number}", task="t", component="c", input=f"in {number}", output="out",
        expected=["a", {"b": None}], evaluation=Evaluation(criteria=[], score=None, passed=False, problems=[]),
        prompts={"c": TaskPrompt(prompt="p")}, version=1, rules_hash="h", model="m", trace=[], source=source,
        thread_id=None, created_at=now(),
    )  # fmt: skip


def at_once(count: int, action: Any) -> list[Any]:
    """Run `action(n)` in `count` threads that start together; each result is a value or an exception."""
    barrier = threading.Barrier(count)

    def one(number: int) -> Any:
        barrier.wait()
        try:
            return asyncio.run(action(number))
        except RatchetError as error:
            return error

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(one, range(count)))


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


def proposal(status: str = "pending", **more: Any) -> dict[str, Any]:
    row = {"id": "P", "cycle_id": "C", "task": "t", "component": "c", "strategy": "s", "fingerprint": "f",
           "status": status, "reason": None, "document": {"base_hash": "base"}}  # fmt: skip
    return row | more


async def test_known_lists_what_failed_from_the_same_prompt(store: Store) -> None:
    rows = [
        proposal(
            status, id=f"P-{status}-{base}", fingerprint=f"{status}-{base}", reason="why", document={"base_hash": base}
        )
        for status in ("pending", "applied", "approved", "stale", "refused", "rejected", "unproven")
        for base in ("base", "other")
    ]
    await store.proposals.add(rows)
    found = await store.proposals.known("t", "c", "base")
    assert [(row["fingerprint"], row["status"], row["reason"]) for row in found] == [
        (f"{status}-base", status, "why") for status in ("refused", "rejected", "unproven")
    ]
    assert await store.proposals.known("t", "x", "base") == []
    rest = await store.proposals.known("t", "c", "base", without="P-rejected-base")
    assert [row["status"] for row in rest] == ["refused", "unproven"]


async def test_add_of_a_proposal_again_changes_nothing(store: Store) -> None:
    await store.proposals.add([proposal()])
    await store.proposals.mark("P", "applied", "done")
    await store.proposals.add([proposal(), proposal(id="Q")])
    assert [await store.proposals.status(name) for name in ("P", "Q")] == ["applied", "pending"]


async def test_gate_level_is_stable_and_counts_tests_and_discoveries(store: Store) -> None:
    first = await store.gate_tests.level("t", "A", error_level)
    assert first == error_level(1, 0)
    await store.gate_tests.finish("A", "better")
    assert await store.gate_tests.level("t", "A", error_level) == first
    assert await store.gate_tests.level("t", "B", error_level) == error_level(2, 1)
    assert await store.gate_tests.level("other", "C", error_level) == error_level(1, 0)


def test_gate_levels_of_many_threads_are_distinct(store: Store) -> None:
    levels = at_once(6, lambda n: store.gate_tests.level("t", f"T-{n}", error_level))
    assert sorted(levels, reverse=True) == [error_level(number, 0) for number in range(1, 7)]


async def test_reply_put_twice_keeps_the_first(store: Store) -> None:
    await store.replies.put("k", "agent", Reply(text="first", input_tokens=1), "C")
    await store.replies.put("k", "judge", Reply(text="second"), "D")
    kept = await store.replies.get("k")
    assert kept is not None
    assert (kept.text, kept.input_tokens) == ("first", 1)
    assert ((await store.replies.spent_by("C")).calls, (await store.replies.spent_by("D")).calls) == (1, 0)
    assert await store.replies.get("other") is None


async def test_what_a_cycle_spent_is_told_by_role_with_its_tokens(store: Store) -> None:
    for number, (role, cycle) in enumerate([("agent", "C"), ("agent", "C"), ("judge", "C"), ("agent", "D")]):
        await store.replies.put(f"k{number}", role, Reply(text="t", input_tokens=1000 + number, output_tokens=2), cycle)

    spent = await store.replies.spent_by("C")
    assert spent == Spent(calls=3, input_tokens=3003, output_tokens=6, by_role={"agent": 2, "judge": 1})
    assert spent.line == "3 model calls (agent 2, judge 1), 3,003 tokens in and 6 out"
    assert (await store.replies.spent_by("E")).line == "0 model calls, 0 tokens in and 0 out"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25, deadline=None)
@given(TEXT, TEXT)
def test_replies_keep_any_text(store: Store, key: str, text: str) -> None:
    async def kept() -> Reply | None:
        await store.replies.put(f"{key}/{text}", "agent", Reply(text=text), None)
        return await store.replies.get(f"{key}/{text}")

    assert asyncio.run(kept()) == Reply(text=text)


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


async def test_runs_keep_outcomes_by_version(store: Store) -> None:
    for number, (passed, version) in enumerate([(True, 1), (None, 1), (False, 1), (True, 2)]):
        document = {"thread_id": None, "evaluation": {"passed": passed, "score": None}}
        for _ in range(2):
            await store.runs.add(f"R-{number}", "t", f"user-{number % 2}", document, version=version)
    assert await store.runs.outcomes("t", 1) == [ScoredRun(True, "user-0", ""), ScoredRun(False, "user-0", "")]


async def test_runs_tell_the_input_of_those_that_are_called_a_case(store: Store) -> None:
    document = {"thread_id": None, "input": "Who?", "evaluation": {"passed": True, "score": 1.0}}
    await store.runs.add("R", "t", "case:c1", document, version=1)
    assert await store.runs.outcomes("t", 1) == [ScoredRun(True, "case:c1", "Who?")]


async def test_reviews_keep_the_first_of_an_id(store: Store) -> None:
    await store.reviews.add("V", "t", "C", "capability", {"a": 1})
    await store.reviews.add("V", "t", "C", "budget", {"a": 2})
    assert [(row["kind"], row["document"]) for row in await store.reviews.select("t")] == [("capability", {"a": 1})]
    assert await store.reviews.select("u") == []


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


async def test_served_cases_are_those_under_the_version_with_what_was_asked(store: Store) -> None:
    for number, (source, version) in enumerate([("case:a", 1), ("case:b", 2), ("ada", 1), ("case:c", 1)]):
        document = {"thread_id": None, "input": f"in {number}", "evaluation": {"passed": True, "score": None}}
        await store.runs.add(f"R-{number}", "t", source, document, version=version)
    assert await store.runs.served_cases("t", 1) == {("case:a", "in 0"), ("case:c", "in 3")}


async def test_failed_case_is_not_served_before_its_failure_is_stored(store: Store) -> None:
    document = {"thread_id": None, "input": "x", "evaluation": {"passed": False, "score": None}}
    for number in range(2):
        await store.runs.add(f"R-{number}", "t", f"case:{number}", document, version=1)
    await store.failures.add(bundle(0), "g")
    assert await store.runs.served_cases("t", 1) == {("case:0", "x")}


async def test_answer_item_takes_answers_until_it_is_closed(store: Store) -> None:
    await store.reviews.add("V", "t", "C", "capability", {"a": 1})
    await store.transact([partial(answer_item, review_id="V", answer={"n": 1})])
    await store.transact([partial(answer_item, review_id="V", answer={"n": 2}, status="dismissed")])
    with pytest.raises(AlreadyDecidedError, match="review C is dismissed already"):
        await store.transact([partial(answer_item, review_id="V", answer={"n": 3})])
    item = await store.reviews.find("V")
    assert item is not None
    assert (item["status"], item["document"]) == ("dismissed", {"a": 1, "answers": [{"n": 1}, {"n": 2}]})
    assert item == await store.reviews.find("C")
    assert await store.reviews.select("t") == []
    assert await store.reviews.find("X") is None


async def test_together_does_all_or_nothing(store: Store) -> None:
    await store.reviews.add("V", "t", "C", "capability", {})
    case = {"task": "t", "id": "a", "input": "x", "expected": "y", "split": "train", "tags": [], "origin": None,
            "approved_by": "ada", "created_at": now()}  # fmt: skip
    await store.transact([partial(insert_case, row=case)])
    close = partial(answer_item, review_id="V", answer={}, status="dismissed")
    with pytest.raises(ConfigurationError, match="t: a case with the input 'x' was approved before"):
        await store.transact([close, partial(insert_case, row=case | {"id": "b"})])
    assert [row["status"] for row in await store.reviews.select("t")] == ["open"]


async def test_cases_are_kept_by_task_and_stamped(store: Store) -> None:
    assert await store.cases.stamp("t") == stamp_of([])
    rows = [
        {"task": task, "id": "a", "input": "x", "expected": expected, "split": "train", "tags": ["new"],
         "origin": "F-1", "approved_by": "ada", "created_at": time}
        for task, expected, time in (("t", ["y", {"z": None}], "1"), ("u", {"k": [1]}, "2"))
    ]  # fmt: skip
    await store.transact([partial(insert_case, row=row) for row in rows])
    assert await store.cases.of_task("t") == [rows[0]]
    assert await store.cases.of_task("u") == [rows[1]]
    assert await store.cases.stamp("t") == stamp_of(rows[:1]) != stamp_of([])


async def test_stamp_of_cases_notices_one_that_took_the_place_of_another(store: Store) -> None:
    """Also where the newest stays, and where the new one says an earlier time than that: clocks may be set back."""
    first, newest, late = [
        {"task": "t", "id": name, "input": name, "expected": "y", "split": "train", "tags": [], "origin": None,
         "approved_by": "ada", "created_at": time}
        for name, time in (("a", "1"), ("b", "3"), ("c", "2"))
    ]  # fmt: skip
    await store.transact([partial(insert_case, row=row) for row in (first, newest)])
    before = await store.cases.stamp("t")
    await store.transact([partial(delete_case, row=first), partial(insert_case, row=late)])
    assert await store.cases.stamp("t") == stamp_of([newest, late]) != before


async def test_failures_that_a_person_closed_stay_closed(store: Store) -> None:
    for number in range(2):
        await store.failures.add(bundle(number), "g")
    await store.failures.mark(["F-0"], "corrected")
    await store.failures.mark(["F-0", "F-1"], "in_cycle", "C")
    rows = {row["id"]: (row["status"], row["cycle_id"]) for row in await store.failures.select(["F-0", "F-1", "F-9"])}
    assert rows == {"F-0": ("corrected", "C"), "F-1": ("in_cycle", "C")}
    await store.failures.mark(["F-0"], "dismissed")
    assert await store.failures.of_task("t", "dismissed")


async def test_was_worked_on_goes_by_the_input_and_the_task(store: Store) -> None:
    await store.failures.add(bundle(0), "g")
    assert not await store.failures.was_worked_on("t", "in 0")
    await store.failures.mark(["F-0"], "in_cycle", "C")
    assert await store.failures.was_worked_on("t", " in 0\n")
    assert not await store.failures.was_worked_on("t", "in 1")
    assert not await store.failures.was_worked_on("u", "in 0")


async def test_recent_runs_are_the_newest_of_each_source(store: Store) -> None:
    for number, (source, passed) in enumerate([("a", True), ("a", False), ("b", None), ("a", True), ("case:c1", True)]):
        document = {"thread_id": None, "evaluation": {"passed": passed, "score": None}, "input": f"in {number}",
                    "expected": ["x", {"y": number}]}  # fmt: skip
        await store.runs.add(f"R-{number}", "t", source, document, version=1)
    found = await store.runs.recent("t", per_source=2, limit=10)
    assert [(run.id, run.source, run.input, run.expected) for run in found] == [
        ("R-3", "a", "in 3", ["x", {"y": 3}]),
        ("R-1", "a", "in 1", ["x", {"y": 1}]),
    ]
    assert [run.id for run in await store.runs.recent("t", per_source=2, limit=1)] == ["R-3"]
    assert await store.runs.recent("u", per_source=2, limit=10) == []


async def test_in_hands_counts_by_group_what_cycles_and_people_have(store: Store) -> None:
    for number, status in enumerate(["open", "in_cycle", "escalated", "fixed"]):
        await store.failures.add(bundle(number), "g")
        await store.failures.mark([bundle(number).id], status, None if status == "open" else "C")
    assert await store.failures.in_hands("t", "") == {"g": 2}
    assert await store.failures.in_hands("t", now()) == {}
    assert await store.failures.worked_on("t") == {"in 1", "in 2", "in 3"}
