from functools import partial
from typing import Any

import pytest
from shop import TASK, FailRuns, OpenEngine, Project, shop_items

from ratchet.cycles.choice import MOST_FAILURES, Choice, failures_to_work_on
from ratchet.engine import Engine
from ratchet.store.reviews import set_item_status
from ratchet.tasks import stable_split

pytestmark = pytest.mark.anyio


async def chosen(engine: Engine, **asked: Any) -> Choice:
    return await failures_to_work_on(engine, await engine.workbench("shop"), "t", **asked)


@pytest.fixture
async def strict(open_engine: OpenEngine) -> Engine:
    return await open_engine(min_sources=2)


async def test_one_source_alone_starts_no_cycle_however_often_it_fails(strict: Engine, fail_runs: FailRuns) -> None:
    await fail_runs(strict, *range(0, 40, 2), source="mallory")
    found = await chosen(strict)
    assert (found.failures, len(found.ids)) == ([], 20)
    assert found.why.startswith("20 open failures of shop waiting; a cycle needs failures of one kind from 2 distinct")


async def test_two_sources_start_a_cycle(strict: Engine, fail_runs: FailRuns) -> None:
    await fail_runs(strict, 0, 2, source="ada")
    await fail_runs(strict, 4, source="bob")
    assert (await chosen(strict)).ids == ["F-0", "F-2", "F-4"]


async def test_a_known_case_needs_no_second_source(strict: Engine, fail_runs: FailRuns) -> None:
    await fail_runs(strict, 0, source="case:c00")
    assert (await chosen(strict)).ids == ["F-0"]


async def test_a_source_that_only_claims_to_be_a_known_case_is_one_source(strict: Engine, fail_runs: FailRuns) -> None:
    await fail_runs(strict, 2, 4, source="case:c00")
    assert (await chosen(strict)).failures == []


@pytest.mark.parametrize("expected", ["evil", ["bin00x", "evil"], [], None, {"answer": "bin00x"}])
async def test_a_known_case_with_another_expected_output_is_one_source(
    strict: Engine, fail_runs: FailRuns, expected: Any
) -> None:
    (failure,) = await fail_runs(strict, 0, source="case:c00", expected=expected)
    for asked in ({}, {"failure_id": failure.id}, {"wanted": [failure.id]}):
        found = await chosen(strict, **asked)
        assert found.failures == []
        assert "RATCHET_MIN_SOURCES" in found.why


async def test_failure_of_agent_on_another_input_needs_its_sources(strict: Engine, fail_runs: FailRuns) -> None:
    await fail_runs(strict, 0, source="mallory", input="Where, please, is item00?")
    found = await chosen(strict, failure_id="F-0")
    assert (found.failures, found.ids) == ([], ["F-0"])
    assert found.why.startswith("1 open failure of shop waiting; a cycle needs failures of one kind from 2 distinct")

    await fail_runs(strict, 2, source="bob", input="And item02?")
    assert (await chosen(strict, failure_id="F-0")).ids == ["F-0", "F-2"]


async def test_failure_of_agent_goes_on_with_the_cycle_that_was_begun(strict: Engine, fail_runs: FailRuns) -> None:
    for number, source in ((0, "ada"), (2, "bob")):
        await fail_runs(strict, number, source=source, input=f"Which of {number}?")
    assert (await chosen(strict, failure_id="F-2")).ids == ["F-0", "F-2"]
    await strict.store.cycles.claim("C-1", "shop", "shop", "agent", "t", {"failures": ["F-0", "F-2"]})
    await strict.store.failures.mark(["F-0", "F-2"], "in_cycle", "C-1")
    assert (await chosen(strict, failure_id="F-2")).ids == ["F-0", "F-2"]


async def test_a_failure_of_agent_on_a_training_case_is_worked_on_at_once(strict: Engine, fail_runs: FailRuns) -> None:
    await fail_runs(strict, 0, source="ada")
    assert (await chosen(strict, failure_id="F-0")).ids == ["F-0"]
    assert (await chosen(strict, failure_id="F-9")).why == "the failures F-9 are not stored"


async def test_a_flood_is_loaded_in_part_and_the_other_sources_with_it(engine: Engine, fail_runs: FailRuns) -> None:
    (one,) = await fail_runs(engine, 0, source="ada")
    for number in range(200):
        await engine.store.failures.add(one.model_copy(update={"id": f"M-{number}", "source": "mallory"}), "g")
    found = await chosen(engine)
    assert (len(found.failures), len(found.ids)) == (MOST_FAILURES, 201)
    assert "F-0" in [failure.id for failure in found.failures]


async def test_no_failure_is_nothing_to_do(engine: Engine) -> None:
    assert await chosen(engine) == Choice([], [], "shop has no open failures")


async def test_failures_that_were_asked_for_are_open_and_of_one_component(engine: Engine, fail_runs: FailRuns) -> None:
    await fail_runs(engine, 0, 2, 4, source="ada")
    await fail_runs(engine, 6, source="ada", component="other")
    await engine.store.failures.mark(["F-4"], "dismissed")
    assert (await chosen(engine, wanted=["F-2", "F-4", "F-6", "F-9"])).ids == ["F-2"]
    for wanted in ([], ["F-4"]):
        found = await chosen(engine, wanted=wanted)
        assert (found.failures, found.ids, found.why) == ([], [], "none of the failures that were asked for is open")


async def test_failures_that_were_asked_for_need_their_sources_too(strict: Engine, fail_runs: FailRuns) -> None:
    await fail_runs(strict, 0, 2, source="ada")
    found = await chosen(strict, wanted=["F-0", "F-2"])
    assert (found.failures, found.ids) == ([], ["F-0", "F-2"])
    assert "from 2 distinct sources (RATCHET_MIN_SOURCES)" in found.why
    await fail_runs(strict, 4, source="bob")
    assert (await chosen(strict, wanted=["F-2", "F-4"])).ids == ["F-2", "F-4"]


@pytest.mark.parametrize(("status", "ids"), [("retried", ["F-0"]), ("open", []), ("dismissed", [])])
async def test_failures_that_a_person_opened_again_need_no_second_source(
    strict: Engine, fail_runs: FailRuns, status: Any, ids: list[str]
) -> None:
    await fail_runs(strict, 0, 2, source="ada")
    await strict.store.failures.mark(["F-0"], "open", "C-1")
    await strict.store.reviews.add("V-1", "shop", "C-1", "capability", {})  # type: ignore[typeddict-item]
    await strict.store.transact([partial(set_item_status, review_id="V-1", status=status)])

    found = await chosen(strict, wanted=["F-0"])
    assert [failure.id for failure in found.failures] == ids
    assert (await chosen(strict, wanted=["F-0", "F-2"])).failures == []  # one of them nobody has looked at


async def test_failures_on_held_out_inputs_are_left_alone_if_asked_for(engine: Engine, fail_runs: FailRuns) -> None:
    await fail_runs(engine, 1)
    assert (await chosen(engine, wanted=["F-1"])).failures == []


def split_inputs(split: str) -> list[str]:
    """Inputs of live traffic of one split."""
    return [text for text in (f"Question {number}?" for number in range(60)) if stable_split(text) == split]


TRAIN, HELD = split_inputs("train"), split_inputs("holdout")


@pytest.fixture
def fail_on(fail_runs: FailRuns) -> Any:
    """Stores a failure for each input of live traffic."""

    async def fail(engine: Engine, texts: list[str], **more: Any) -> list[str]:
        ids = [f"F-{text.split()[1]}" for text in texts]
        for failure, text in zip(ids, texts, strict=True):
            await fail_runs(engine, 0, input=text, **({"id": failure} | more))
        return ids

    return fail


async def test_failures_that_may_be_held_out_are_left_alone_where_enough_others_are(
    engine: Engine, fail_on: Any
) -> None:
    await fail_on(engine, HELD[:6])
    others = await fail_on(engine, TRAIN[:4])
    found = await chosen(engine)
    assert found.ids == others
    assert {failure.id for failure in found.failures} == set(others)


async def test_a_group_with_few_others_is_worked_on_whole(engine: Engine, fail_on: Any) -> None:
    ids = await fail_on(engine, HELD[:6]) + await fail_on(engine, TRAIN[:3])
    await fail_on(engine, TRAIN[:1], id="F-again")
    assert (await chosen(engine)).ids == [*ids, "F-again"]


async def test_what_was_left_to_the_held_out_cases_stays_so_after_the_cycle(engine: Engine, fail_on: Any) -> None:
    left = await fail_on(engine, HELD[:6])
    await engine.store.failures.mark(await fail_on(engine, TRAIN[:4]), "escalated", "C-1")
    found = await chosen(engine)
    assert (found.failures, found.ids) == ([], left)
    assert found.why == "all open failures of shop (6) are left to the held-out cases ([holdout] in its task.toml)"
    more = await fail_on(engine, TRAIN[4:5])
    assert (await chosen(engine)).ids == more


async def test_failures_that_a_person_names_are_worked_on_though_they_may_be_held_out(
    engine: Engine, fail_on: Any
) -> None:
    await fail_on(engine, TRAIN[:4])
    named = await fail_on(engine, HELD[:1])
    assert (await chosen(engine, wanted=named)).ids == named


async def test_an_input_that_was_worked_on_is_not_left_to_the_held_out_cases_again(
    engine: Engine, fail_on: Any
) -> None:
    ids = await fail_on(engine, [*HELD[:1], *TRAIN[:4]])
    await engine.store.failures.mark(ids[:1], "open", "C-1")
    assert (await chosen(engine)).ids == ids


async def test_others_of_one_source_are_not_enough(strict: Engine, fail_on: Any) -> None:
    ids = await fail_on(strict, HELD[1:4], source="mallory")
    assert (await chosen(strict)).why.startswith("3 open failures of shop waiting")
    ids += await fail_on(strict, TRAIN[:5], source="mallory")
    assert (await chosen(strict)).failures == []
    ids += await fail_on(strict, HELD[:1], source="ada")
    assert (await chosen(strict)).ids == ids


async def test_without_rotation_a_group_is_worked_on_whole(project: Project, engine: Engine, fail_on: Any) -> None:
    project.write_task(toml=TASK + "\n[holdout]\nproduction = 0\n", cases=shop_items())
    ids = await fail_on(engine, HELD[:6]) + await fail_on(engine, TRAIN[:4])
    assert (await chosen(engine)).ids == ids


async def test_a_failure_without_an_expected_output_is_no_held_out_case(engine: Engine, fail_on: Any) -> None:
    ids = await fail_on(engine, HELD[:2], expected=None) + await fail_on(engine, TRAIN[:4])
    assert (await chosen(engine)).ids == ids
