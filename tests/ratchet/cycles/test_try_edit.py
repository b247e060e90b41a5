"""A person's own edit at the gate."""

from typing import Any

import pytest
from shop import OpenEngine, Project, item_of, needs_requirement

from ratchet.cycles.try_edit import Tried, prompts_of_task, try_edit
from ratchet.engine import Engine, Trial, score_all
from ratchet.errors import ConfigurationError
from ratchet.gate import error_level
from ratchet.prompting import Example, TaskPrompt

pytestmark = pytest.mark.anyio
BETTER = "Answer the question in at most 5 words."


async def tried(engine: Engine, text: str) -> Tried:
    bench = await engine.workbench("shop")
    return await try_edit(engine, bench, {"shop": TaskPrompt(prompt=text)}, "ada")


async def prompts_now(project: Project) -> str:
    return project.prompts_file.read_text(encoding="utf-8")


async def test_edit_that_helps_is_proven_and_not_applied(project: Project, engine: Engine) -> None:
    project.script("agent", needs_requirement)
    before = await prompts_now(project)
    found = await tried(engine, BETTER)
    assert (found.status, found.validation.proven, found.validation.verdict) == ("proven", True, "better")
    assert found.validation.after.rate == 1
    assert await prompts_now(project) == before
    assert await engine.store.cycles.select() == []


async def test_edit_that_harms_is_worse(project: Project, engine: Engine) -> None:
    project.script("agent", needs_requirement)
    project.write_prompts({"shop": BETTER})
    assert (await tried(engine, "Answer at length.")).status == "worse"


async def test_edit_that_changes_no_result_is_not_proven(project: Project, engine: Engine) -> None:
    found = await tried(engine, "Answer the question, please.")
    assert (found.status, found.validation.verdict) == ("not_proven", "inconclusive")


async def test_edit_that_breaks_an_enforced_rule_is_vetoed(project: Project, open_engine: OpenEngine) -> None:
    project.write_rules([{"rule": "Never name a bin.", "must_not_match": "bin"}])
    project.script("agent", needs_requirement)
    found = await tried(await open_engine(), BETTER)
    assert found.status in ("vetoed", "worse", "not_proven")
    assert not found.validation.proven


async def test_edit_that_drops_locked_text_is_vetoed_before_anything_is_run(project: Project, engine: Engine) -> None:
    project.write_prompts({"shop": {"prompt": "Answer. Be kind.", "locked": ["Be kind."]}})
    agent = project.script("agent", needs_requirement)
    found = await tried(engine, BETTER)
    assert (found.status, found.level, agent.calls) == ("vetoed", None, [])
    assert "Be kind." in found.validation.reason


async def test_file_that_says_what_is_in_force_is_unchanged(project: Project, engine: Engine) -> None:
    agent = project.script("agent", needs_requirement)
    found = await tried(engine, "Answer the question.")
    assert (found.status, found.level, agent.calls) == ("unchanged", None, [])


async def test_tries_have_a_count_of_their_own(project: Project, engine: Engine) -> None:
    tests = engine.store.gate_tests
    first, second = [await tried(engine, text) for text in ("Answer it.", "Say it.")]
    assert [found.level for found in (first, second)] == [error_level(1, 0), error_level(2, 0)]
    assert await tests.next_level("shop", error_level) == error_level(1, 0)
    assert await tests.next_level("try:shop", error_level) == error_level(3, 0)


async def test_same_edit_tried_again_is_the_same_test_and_paid_for_once(project: Project, engine: Engine) -> None:
    agent = project.script("agent", needs_requirement)
    first = await tried(engine, BETTER)
    paid = len(agent.calls)
    again = await tried(engine, BETTER)
    assert (again.test_id, again.level, again.validation.e_value) == (
        first.test_id, first.level, first.validation.e_value,
    )  # fmt: skip
    assert len(agent.calls) == paid


async def test_try_is_audited_and_its_cases_count_as_seen(project: Project, engine: Engine) -> None:
    project.script("agent", needs_requirement)
    found = await tried(engine, BETTER)
    row = (await engine.audit.rows("shop"))[-1]
    assert (row["actor"], row["action"], row["subject"]) == ("ada", "try", found.test_id)
    assert row["detail"]["verdict"] == "better"
    assert sum((await engine.store.gate_cases.decisions("shop")).values()) == found.validation.after.n


async def test_file_without_a_prompt_of_the_task_is_refused(engine: Engine) -> None:
    bench = await engine.workbench("shop")
    other: Any = {"other": TaskPrompt(prompt="x")}
    with pytest.raises(ConfigurationError, match=r"f.json: no prompt for 'shop', a component of task shop"):
        prompts_of_task(other, bench.task, "f.json")
    assert prompts_of_task(bench.prompts | other, bench.task, "f.json") == bench.prompts


async def test_replies_of_another_model_under_the_same_name_prove_no_edit(project: Project, engine: Engine) -> None:
    project.script("agent", needs_requirement)
    bench = await engine.workbench("shop")
    await score_all(engine, bench, bench.prompts, [Trial(case.input, case.expected) for case in bench.holdout])
    project.script("agent", lambda messages, request: f"bin{item_of(messages)}x")  # now the prompt in force passes too
    found = await tried(engine, BETTER)
    assert (found.status, found.validation.before.rate, found.validation.after.rate) == ("not_proven", 1, 1)


async def test_edit_that_shows_a_held_out_case_is_vetoed_before_anything_is_run(
    project: Project, engine: Engine
) -> None:
    agent = project.script("agent", needs_requirement)
    shown = TaskPrompt(prompt=BETTER, examples=[Example(input="where is ITEM07 kept", output="bin07x")])
    found = await try_edit(engine, await engine.workbench("shop"), {"shop": shown}, "ada")
    assert (found.status, found.level, agent.calls) == ("vetoed", None, [])
    assert found.validation.reason == "the change shows what is held out as examples: c07"
