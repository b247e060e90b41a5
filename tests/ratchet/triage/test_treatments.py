import pytest
from shop import OpenEngine, Project, shop_items

from ratchet.engine import Engine, Workbench
from ratchet.prompting import ContextStep, Example, TaskPrompt
from ratchet.prompting.changes import with_requirements, with_source
from ratchet.sources.solved_cases import NAME as SOLVED_CASES
from ratchet.triage.treatments import Lack, Treatment, plan

pytestmark = pytest.mark.anyio

TWO_STEPS = """
description = "Says where things are kept"
components = ["finder", "writer"]

[[criteria]]
name = "short"
kind = "max_words"
limit = 5
required = true

[[context_sources]]
name = "handbook"
kind = "documents"
path = "documents"
"""


def stages(bench: Workbench, prompt: TaskPrompt, *failed: str, solved: int = 20) -> list[list[Treatment]]:
    return plan(bench.task, {**bench.prompts, "shop": prompt}, ["shop"], Lack(failed, solved))


async def test_plan_goes_from_cheap_and_telling_to_combined(engine: Engine) -> None:
    bench = await engine.workbench("shop")
    found = stages(bench, bench.prompts["shop"], "short")
    assert [[(item.name, item.kind) for item in stage] for stage in found] == [
        [("requirements", "prompt")],
        [("context:handbook", "context")],
        [("examples", "prompt")],
        [("context:handbook (best 3)", "context")],
        [("context:handbook + requirements + examples", "both")],
    ]
    both = found[-1][0]
    assert both.prompt.prompt == "Answer the question.\nAnswer in at most 5 words."
    assert [step.source for step in both.prompt.context] == ["handbook", SOLVED_CASES]


async def test_plan_leaves_out_what_changes_nothing(engine: Engine) -> None:
    bench = await engine.workbench("shop")
    prompt = with_requirements(bench.prompts["shop"], ["Answer in at most 5 words."])
    assert [item.name for stage in stages(bench, prompt, "short", solved=0) for item in stage] == [
        "context:handbook",
        "context:handbook (best 3)",
    ]
    shown = with_source(bench.prompts["shop"], SOLVED_CASES, 8)
    assert "examples" not in [item.name for stage in stages(bench, shown, "correct") for item in stage]


async def test_plan_shows_each_answer_where_answers_are_few(engine: Engine) -> None:
    bench = await engine.workbench("shop")
    answers = [Example(input="a?", output="yes"), Example(input="b?", output="no")]
    lack = Lack(["short"], 20, answers)
    found = plan(bench.task, bench.prompts, ["shop"], lack)
    names = [[item.name for item in stage] for stage in found]
    assert names[2:4] == [["examples"], ["an example of each answer"]]
    (shown,) = found[3]
    assert (shown.kind, shown.prompt.examples, shown.prompt.context) == ("prompt", answers, [])
    told = bench.prompts["shop"].model_copy(update={"examples": [*answers[::-1], Example(input="c?", output="no")]})
    assert "an example of each answer" not in [
        item.name for stage in plan(bench.task, {"shop": told}, ["shop"], lack) for item in stage
    ]


async def test_plan_goes_deeper_where_a_source_is_used_already(engine: Engine) -> None:
    bench = await engine.workbench("shop")
    found = stages(bench, with_source(bench.prompts["shop"], "handbook", 3), "correct", solved=0)
    assert [[item.prompt.context for item in stage] for stage in found] == [[[ContextStep(source="handbook", top_k=6)]]]


async def test_plan_respects_the_largest_depth(engine: Engine) -> None:
    bench = await engine.workbench("shop")
    for stage in stages(bench, with_source(bench.prompts["shop"], "handbook", 40), solved=0):
        assert all(treatment.prompt.context[-1].top_k <= 64 for treatment in stage)


async def test_plan_changes_one_component_at_a_time(project: Project, open_engine: OpenEngine) -> None:
    project.write_task("pair", toml=TWO_STEPS, cases=shop_items(), documents={"a.md": "text"})
    project.write_prompts({"finder": "Find it.", "writer": "Write it."})
    bench = await (await open_engine()).workbench("pair")
    found = plan(bench.task, bench.prompts, ["writer", "finder"], Lack(["short"], 9))
    assert [[item.name for item in stage] for stage in found] == [
        ["writer: requirements", "finder: requirements"],
        ["writer: context:handbook", "finder: context:handbook"],
        ["writer: examples"],
        ["writer: context:handbook (best 3)", "finder: context:handbook (best 3)"],
        ["writer: context:handbook + requirements + examples", "finder: context:handbook + requirements"],
    ]
    assert {item.component for stage in found for item in stage} == {"writer", "finder"}


def test_with_requirements_adds_each_sentence_once() -> None:
    prompt = TaskPrompt(prompt="Answer. Be brief.")
    assert with_requirements(prompt, ["Be brief."]) is prompt
    assert with_requirements(prompt, ["Be brief.", "Be kind."]).prompt == "Answer. Be brief.\nBe kind."
