import json
from typing import Any

import pytest
from chat_server import completion
from shop import TASK, Project, shop_items

from ratchet.engine import Engine, Trial, score_one
from ratchet.evaluators import with_endings
from ratchet.llm import Fault
from ratchet.records import Ending, Evaluation, Step

pytestmark = pytest.mark.anyio
WORDS: dict[Ending, str] = {
    "cut_off": "reply of shop: cut off at max_tokens",
    "refused": "reply of shop: the model refused to answer",
    "filtered": "reply of shop: withheld by the endpoint's content filter",
    "tool_call": "reply of shop: a tool call instead of an answer",
}
SHORT_ONLY = """
description = "Says anything short"
components = ["shop"]

[[criteria]]
name = "short"
kind = "max_words"
limit = 5
"""


def evaluation(passed: bool | None) -> Evaluation:
    return Evaluation(criteria=[], score=0.5, passed=passed, problems=["old"])


def step(ending: Ending, component: str = "shop") -> Step:
    return Step(kind="model", component=component, input=[], output="", ending=ending)


@pytest.mark.parametrize("passed", [True, False, None])
@pytest.mark.parametrize("ending", WORDS)
def test_ending_is_told_and_the_criteria_decide_about_an_output(ending: Ending, passed: bool | None) -> None:
    found = with_endings(evaluation(passed), [step(ending)], "Oslo, the")
    assert (found.passed, found.score, found.problems) == (passed, 0.5, ["old", WORDS[ending]])


@pytest.mark.parametrize("ending", WORDS)
def test_run_without_an_output_has_failed(ending: Ending) -> None:
    assert with_endings(evaluation(True), [step(ending)], " \n").passed is False


def test_whole_answers_change_nothing() -> None:
    given = evaluation(True)
    retrieval = Step(kind="retrieval", component="shop", input={}, output=[])
    assert with_endings(given, [retrieval, step("answer")], "") is given


def test_each_step_that_did_not_answer_is_named() -> None:
    trace = [step("cut_off", "router"), step("answer", "writer"), step("refused", "checker")]
    assert with_endings(evaluation(False), trace, "x").problems[1:] == [
        "reply of router: cut off at max_tokens",
        "reply of checker: the model refused to answer",
    ]


ENDED = {
    "cut_off": completion("", "length"),
    "filtered": completion("", "content_filter"),
    "tool_call": completion(None, "tool_calls", tool_calls=[{"id": "c", "type": "function", "function": {}}]),
}


@pytest.mark.parametrize("ending", ["cut_off", "filtered", "tool_call"])
async def test_run_without_an_answer_is_no_ordinary_wrong_answer(
    project: Project, engine: Engine, ending: Ending
) -> None:
    project.write_task(toml=SHORT_ONLY, cases=shop_items())
    project.script("agent", Fault(200, body=ENDED[ending]))
    bench = await engine.workbench("shop")
    scored = await score_one(engine, bench, bench.prompts, Trial("Where is item00 kept?", None))
    assert (scored.evaluation.passed, scored.evaluation.problems) == (False, [WORDS[ending]])


@pytest.mark.parametrize(
    ("keep", "rules", "passed"),
    [
        ("", [], True),
        ("keep_reasoning = true", [], False),
        ("", [{"rule": "No passwords.", "must_not_match": "pass"}], True),
    ],
)
async def test_reasoning_is_scored_shown_and_checked_only_where_the_task_says_so(
    project: Project, engine: Engine, keep: str, rules: list[Any], passed: bool
) -> None:
    project.write_rules(rules)
    project.write_task(toml=f"{TASK}\n[agent]\n{keep}", cases=shop_items())
    project.script("agent", "<think>They must not give me a password, so: bin00x it is, no bin01x</think>\nbin00x")
    bench = await engine.workbench("shop")
    scored = await score_one(engine, bench, bench.prompts, Trial("Where is item00 kept?", "bin00x"))
    assert (scored.evaluation.passed, scored.output.startswith("<think>")) == (passed, not passed)


async def test_right_word_in_the_reasoning_alone_is_no_answer(project: Project, engine: Engine) -> None:
    project.script("agent", "<think>bin00x? No, I take bin07x.</think>bin07x")
    bench = await engine.workbench("shop")
    scored = await score_one(engine, bench, bench.prompts, Trial("Where is item00 kept?", "bin00x"))
    assert (scored.evaluation.passed, scored.output) == (False, "bin07x")


def test_trace_of_an_earlier_release_is_read() -> None:
    old = json.loads('{"kind": "model", "component": "shop", "input": [], "output": "x", "reused": true}')
    assert (Step.model_validate(old).ending, Step.model_validate(old).problem) == ("answer", None)
