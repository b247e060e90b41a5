import pytest
from shop import Project

from ratchet.engine import Engine
from ratchet.engine.harness import Harness
from ratchet.prompting import TaskPrompt

pytestmark = pytest.mark.anyio


async def test_prompts_other_than_those_in_force_are_tried_and_not_written(project: Project, engine: Engine) -> None:
    agent = project.script("agent", lambda messages, request: messages[0]["content"][-9:])
    before = project.prompts_file.read_bytes()
    bench = await engine.workbench("shop")
    harness = Harness(engine.models)
    run = await harness.run(bench, "Where?", prompts={"shop": TaskPrompt(prompt="Try this.")})
    assert run.output == "Try this."
    assert agent.calls[0][-1]["content"] == "Where?"
    assert project.prompts_file.read_bytes() == before


async def test_a_run_is_scored_by_criteria_rules_and_endings(project: Project, engine: Engine) -> None:
    project.write_rules([{"rule": "Never say bin.", "must_not_match": "bin"}])
    project.script("agent", "bin00x")
    bench = await engine.workbench("shop")
    harness = Harness(engine.models)
    run = await harness.run(bench, "Where is item00 kept?", prompts=bench.prompts)
    evaluation = await harness.evaluate(bench, "Where is item00 kept?", run.output, "bin00x", run.trace)
    assert {result.name: result.passed for result in evaluation.criteria}["correct"]
    assert not evaluation.passed
    assert any("Never say bin." in problem for problem in evaluation.problems)


async def test_a_harness_holds_models_only(engine: Engine) -> None:
    assert vars(Harness(engine.models)) == {"models": engine.models}
