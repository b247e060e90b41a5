from typing import Any

import pytest
from shop import FailRuns, Flickering, Project, item_of, needs_context, needs_requirement

from ratchet.engine import Engine
from ratchet.errors import BudgetError, ModelUnavailableError
from ratchet.llm import Fault, Meter, metered
from ratchet.prompting import ContextStep, TaskPrompt
from ratchet.records import CriterionResult, Diagnosis, Evaluation
from ratchet.triage import diagnose_failures, group_key, groups
from ratchet.triage.diagnose import spread
from ratchet.triage.treatments import combined_treatments, single_treatments, with_requirements, with_source

pytestmark = pytest.mark.anyio


@pytest.fixture
def diagnosed(project: Project, engine: Engine, fail_runs: FailRuns) -> Any:
    async def run(agent: Any, *numbers: int) -> Diagnosis:
        project.script("agent", agent)
        failures = await fail_runs(engine, *numbers)
        assert all(failure.evaluation.passed is False for failure in failures)
        return await diagnose_failures(engine, await engine.workbench("shop"), failures)

    return run


def needs_both(messages: Any, request: Any) -> str:
    found = needs_context(messages, request)
    return found if "at most 5 words" in messages[0]["content"] else f"{found} is what I would say to that"


async def test_diagnose_finds_missing_context(diagnosed: Any) -> None:
    found = await diagnosed(needs_context, 0, 2)
    assert (found.category, found.source, found.failures) == ("context", "handbook", ["F-0", "F-2"])
    evidence = {experiment.treatment: (experiment.passed, experiment.total) for experiment in found.evidence}
    assert evidence == {"repeat": (0, 2), "context:handbook": (2, 2), "examples": (0, 2)}
    assert found.explanation == "2 of 2 failed runs pass with context:handbook, 0 when just repeated"


async def test_diagnose_finds_a_missing_requirement(diagnosed: Any) -> None:
    found = await diagnosed(needs_requirement, 0, 2)
    assert (found.category, found.source) == ("prompt", None)
    assert next(item.passed for item in found.evidence if item.treatment == "requirements") == 2


async def test_diagnose_finds_a_lack_of_capability(diagnosed: Any) -> None:
    found = await diagnosed("I do not know", 0)
    assert found.category == "capability"
    assert [item.passed for item in found.evidence] == [0] * len(found.evidence)
    assert "the model seems unable to do it" in found.explanation


async def test_diagnose_takes_a_stray_success_for_a_lack_of_capability(diagnosed: Any) -> None:
    def stray(messages: Any, request: Any) -> str:
        return needs_requirement(messages, request) if item_of(messages) == "00" else "I do not know"

    found = await diagnosed(stray, *range(0, 16, 2))
    assert found.category == "capability"
    assert max(item.passed for item in found.evidence) == 1


async def test_diagnose_finds_unstable_runs_and_tries_nothing_else(diagnosed: Any) -> None:
    found = await diagnosed(Flickering(), 0, 2)
    assert found.category == "unstable"
    assert [item.treatment for item in found.evidence] == ["repeat"]


async def test_diagnose_combines_only_where_nothing_helps_alone(diagnosed: Any) -> None:
    found = await diagnosed(needs_both, 0)
    assert (found.category, found.source) == ("context", "handbook")
    assert found.evidence[-1].treatment == "context:handbook + requirements + examples"
    assert [item.passed for item in found.evidence] == [0, 0, 0, 0, 0, 1]


@pytest.mark.parametrize(
    ("agent", "opinion", "category"),
    [(needs_context, "prompt", "context"), (needs_requirement, "context", "prompt"), ("?", "context", "capability")],
)
async def test_analyst_does_not_outvote_the_experiments(
    project: Project, diagnosed: Any, agent: Any, opinion: str, category: str
) -> None:
    project.script("analyst", {"category": opinion, "missing": "all", "explanation": "I am sure"})
    found = await diagnosed(agent, 0)
    assert (found.category, found.opinion.category, found.agreement) == (category, opinion, False)


async def test_analyst_that_agrees_is_noted_with_what_was_missing(project: Project, diagnosed: Any) -> None:
    project.script("analyst", {"category": "context", "missing": "the shelf", "explanation": "unknown shelf"})
    found = await diagnosed(needs_context, 0)
    assert (found.agreement, found.missing) == (True, "the shelf")


@pytest.mark.parametrize("reply", ["no form", Fault(500), {"category": "weather", "missing": "", "explanation": ""}])
async def test_analyst_that_says_nothing_usable_leaves_the_evidence(
    project: Project, diagnosed: Any, reply: Any
) -> None:
    project.script("analyst", reply)
    found = await diagnosed(needs_context, 0)
    assert (found.category, found.opinion.category, found.agreement) == ("context", None, None)


async def test_diagnose_repeats_with_a_try_of_its_own(project: Project, engine: Engine, fail_runs: FailRuns) -> None:
    script = project.script("agent", "I do not know")
    failures = await fail_runs(engine, 0)
    await diagnose_failures(engine, await engine.workbench("shop"), failures)
    again = [messages for messages in script.calls if messages == script.calls[0]]
    assert len(again) == 2


async def test_diagnose_raises_when_the_model_is_down_or_the_budget_spent(
    project: Project, engine: Engine, fail_runs: FailRuns
) -> None:
    failures = await fail_runs(engine, 0)
    bench = await engine.workbench("shop")
    with metered(Meter(limit=1)), pytest.raises(BudgetError):
        await diagnose_failures(engine, bench, failures)
    project.script("agent", Fault(500))
    with pytest.raises(ModelUnavailableError):
        await diagnose_failures(engine, bench, failures)


async def test_diagnose_shows_no_held_out_case_to_any_model(
    project: Project, engine: Engine, fail_runs: FailRuns
) -> None:
    scripts = [project.script("agent", "no"), project.script("analyst", "no form")]
    await diagnose_failures(engine, await engine.workbench("shop"), await fail_runs(engine, 0, 2))
    assert {int(item_of(messages)) % 2 for script in scripts for messages in script.calls} == {0}
    assert not any(f"item{number:02d} kept" in script.seen for script in scripts for number in range(1, 40, 2))


async def test_treatments_go_deeper_where_a_source_is_used_already(engine: Engine) -> None:
    bench = await engine.workbench("shop")
    singles = single_treatments(bench.task, with_source(bench.prompts["shop"], "handbook", 3), ["short"], 20)
    assert [(item.name, item.kind) for item in singles] == [
        ("context:handbook", "context"),
        ("requirements", "prompt"),
        ("examples", "prompt"),
    ]
    assert singles[0].prompt.context == [ContextStep(source="handbook", top_k=6)]


async def test_treatments_respect_the_largest_depth(engine: Engine) -> None:
    bench = await engine.workbench("shop")
    prompt = with_source(bench.prompts["shop"], "handbook", 40)
    for treatment in single_treatments(bench.task, prompt, [], 0):
        assert treatment.prompt.context[-1].top_k <= 64


async def test_combined_treatments_need_a_source_and_a_wording(engine: Engine) -> None:
    bench = await engine.workbench("shop")
    assert combined_treatments(bench.task, bench.prompts["shop"], ["correct"], 0) == []
    (both,) = combined_treatments(bench.task, bench.prompts["shop"], ["short"], 0)
    assert (both.kind, both.prompt.prompt) == ("both", "Answer the question.\nAnswer in at most 5 words.")


def test_with_requirements_adds_each_sentence_once() -> None:
    prompt = TaskPrompt(prompt="Answer. Be brief.")
    assert with_requirements(prompt, ["Be brief."]) is prompt
    assert with_requirements(prompt, ["Be brief.", "Be kind."]).prompt == "Answer. Be brief.\nBe kind."


def failed(*names: str) -> Evaluation:
    results = [CriterionResult(name=name, outcome="failed", passed=False, score=0.0) for name in names]
    return Evaluation(criteria=results, score=0.0, passed=False, problems=[])


def test_group_key_ignores_the_order_of_criteria() -> None:
    assert group_key("c", failed("b", "a")) == group_key("c", failed("a", "b")) == "c: a, b"
    assert group_key("c", failed()) == "c: below the threshold"


def test_groups_are_largest_first() -> None:
    rows = [
        {"id": str(n), "component": "c", "group_key": key, "source": source}
        for n, (key, source) in enumerate([("z", "a"), ("y", "a"), ("x", "a"), ("y", "a"), ("x", "b")])
    ]
    assert [(group.key, group.ids, group.sources) for group in groups(rows)] == [
        ("x", ["2", "4"], 2),
        ("y", ["1", "3"], 1),
        ("z", ["0"], 1),
    ]


def test_spread_takes_old_and_new() -> None:
    assert spread(list(range(16)), 4) == [0, 4, 8, 12]  # type: ignore[arg-type, comparison-overlap]
    assert spread([1, 2], 4) == [1, 2]  # type: ignore[list-item, comparison-overlap]
