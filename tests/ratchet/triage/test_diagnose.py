import asyncio
from typing import Any, NamedTuple

import pytest
from chat_server import completion
from shop import (
    TASK,
    BrokenRetriever,
    FailRuns,
    Flickering,
    OpenEngine,
    Project,
    item_of,
    needs_context,
    needs_requirement,
    shop_items,
    with_retriever,
)

from ratchet.engine import Engine
from ratchet.errors import BudgetError, ConfigurationError, ModelUnavailableError, TriageError
from ratchet.grouping import representative_sample
from ratchet.llm import Fault, Meter, metered
from ratchet.records import Category, Diagnosis, FailureCause
from ratchet.triage import diagnose_failures
from ratchet.triage.diagnose import conclude

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
    assert evidence == {"repeat": (0, 2), "context:handbook": (2, 2)}
    assert found.explanation == "2 of 2 failed runs pass with context:handbook; 0 when just repeated"
    assert found.causes == {"F-0": "context", "F-2": "context"}


async def test_diagnose_finds_a_missing_requirement(diagnosed: Any) -> None:
    found = await diagnosed(needs_requirement, 0, 2)
    assert (found.category, found.source) == ("prompt", None)
    assert next(item.passed for item in found.evidence if item.treatment == "requirements") == 2


@pytest.mark.parametrize(("lacking", "tried"), [(range(0), 4), ((0,), 8), ((8,), 4)])
async def test_diagnose_looks_at_four_failures_and_at_more_where_these_disagree(
    project: Project, diagnosed: Any, lacking: Any, tried: int
) -> None:
    def agent(messages: Any, request: Any) -> str:
        return "no" if int(item_of(messages)) in lacking else needs_requirement(messages, request)

    diagnosis = await diagnosed(agent, *range(0, 20, 2))
    assert (diagnosis.category, len(diagnosis.causes)) == ("prompt", tried)


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
    assert sorted(found.causes.values()) == ["capability"] * 7 + ["prompt"]


async def test_diagnose_finds_unstable_runs_and_tries_nothing_else(diagnosed: Any) -> None:
    found = await diagnosed(Flickering(), 0, 2)
    assert found.category == "unstable"
    assert [item.treatment for item in found.evidence] == ["repeat"]


async def test_diagnose_combines_only_where_nothing_helps_alone(diagnosed: Any) -> None:
    found = await diagnosed(needs_both, 0)
    assert (found.category, found.source) == ("context", "handbook")
    assert [item.treatment for item in found.evidence] == [
        "repeat",
        "requirements",
        "context:handbook",
        "examples",
        "context:handbook (best 3)",
        "context:handbook + requirements + examples",
    ]
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


async def test_analyst_that_agrees_is_noted(project: Project, diagnosed: Any) -> None:
    project.script("analyst", {"category": "context", "missing": "the shelf", "explanation": "unknown shelf"})
    found = await diagnosed(needs_context, 0)
    assert (found.agreement, found.opinion.missing) == (True, "the shelf")
    assert found.missing == "The item00 is in bin00x."


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


async def test_analyst_that_is_refused_ends_the_experiments(
    project: Project, engine: Engine, fail_runs: FailRuns
) -> None:
    async def slow(messages: Any, request: Any) -> str:
        await asyncio.sleep(0.3)
        return "I do not know"

    failures = await fail_runs(engine, 0, 2, 4, 6)
    project.script("analyst", Fault(401))
    agent = project.script("agent", slow)
    with pytest.raises(ConfigurationError):
        await diagnose_failures(engine, await engine.workbench("shop"), failures)
    assert len(agent.calls) <= len(failures)


async def test_diagnose_shows_no_held_out_case_to_any_model(
    project: Project, engine: Engine, fail_runs: FailRuns
) -> None:
    scripts = [project.script("agent", "no"), project.script("analyst", "no form")]
    await diagnose_failures(engine, await engine.workbench("shop"), await fail_runs(engine, 0, 2))
    assert {int(item_of(messages)) % 2 for script in scripts for messages in script.calls} == {0}
    assert not any(f"item{number:02d} kept" in script.seen for script in scripts for number in range(1, 40, 2))


class Origin(NamedTuple):
    id: str
    source: str


def test_spread_takes_old_and_new() -> None:
    failures = [Origin(str(n), "ada") for n in range(16)]
    assert [origin.id for origin in representative_sample(failures, 4)] == ["0", "4", "8", "12"]
    assert representative_sample(failures[:2], 4) == failures[:2]


def test_spread_lets_no_source_crowd_out_the_others() -> None:
    failures = [*(Origin(str(n), "mallory") for n in range(1000)), Origin("a", "ada"), Origin("b", "bob")]
    chosen = representative_sample(failures, 8)
    assert [origin.source for origin in chosen].count("mallory") == 6
    assert [origin.id for origin in chosen][-2:] == ["a", "b"]
    many = [Origin(f"{n}", f"user{n}") for n in range(100)]
    assert len({origin.source for origin in representative_sample(many, 8)}) == 8


def cause(category: Category) -> FailureCause:
    return FailureCause(
        failure="F", category=category, component="c", treatment=None, source=None, missing="", calls=0, attempts=[]
    )


@pytest.mark.parametrize(
    ("categories", "expected"),
    [
        ("context capability capability capability", "context"),
        ("context capability capability capability capability capability", "capability"),
        ("context prompt capability", "prompt"),
        ("context context prompt", "context"),
        ("unstable context", "unstable"),
        ("unstable context context", "context"),
        ("capability", "capability"),
        ("cut_off capability", "cut_off"),
        ("refused refused capability cut_off", "refused"),
        ("filtered capability capability", "capability"),
        ("tool_call unstable tool_call", "tool_call"),
        ("cut_off cut_off cut_off prompt", "prompt"),
    ],
)
def test_conclude_names_what_explains_most(categories: str, expected: str) -> None:
    assert conclude([cause(category) for category in categories.split()]) == expected  # type: ignore[arg-type]


async def test_diagnose_leaves_out_what_cannot_be_triaged(
    project: Project, engine: Engine, fail_runs: FailRuns
) -> None:
    project.script("agent", needs_context)
    failures = [*await fail_runs(engine, 0, 2), *await fail_runs(engine, 4, expected=None)]
    found = await diagnose_failures(engine, await engine.workbench("shop"), failures)
    assert (found.category, sorted(found.causes)) == ("context", ["F-0", "F-2"])
    assert found.failures == ["F-0", "F-2", "F-4"]


async def test_diagnose_refuses_where_nothing_can_be_triaged(engine: Engine, fail_runs: FailRuns) -> None:
    failures = await fail_runs(engine, 0, 2, expected=None)
    with pytest.raises(TriageError, match="F-0 has no expected output, which the criterion 'correct' compares with"):
        await diagnose_failures(engine, await engine.workbench("shop"), failures)


async def test_diagnose_says_that_a_source_is_broken_instead_of_blaming_the_model(
    project: Project, open_engine: OpenEngine, fail_runs: FailRuns
) -> None:
    asked = []

    class Broken:
        async def ainvoke(self, query: str) -> Any:
            asked.append(query)
            raise OSError("the index is gone")

    project.write_task(toml=with_retriever(project.add("r", Broken())), cases=shop_items())
    engine = await open_engine()
    failures = await fail_runs(engine, *range(0, 16, 2))
    with pytest.raises(TriageError, match=r"not everything could be tried: context source 'handbook'.*index is gone"):
        await diagnose_failures(engine, await engine.workbench("shop"), failures)
    assert len(asked) <= len(failures)


async def test_diagnose_still_names_another_cause_beside_a_broken_source(
    project: Project, open_engine: OpenEngine, fail_runs: FailRuns
) -> None:
    project.write_task(toml=with_retriever(project.add("r", BrokenRetriever())), cases=shop_items())
    project.script("agent", needs_requirement)
    engine = await open_engine()
    found = await diagnose_failures(engine, await engine.workbench("shop"), await fail_runs(engine, 0, 2))
    assert found.category == "prompt"


ENDED = {
    "cut_off": (completion("As far as I know it is", "length"), "raise max_tokens under [agent] in task.toml (now"),
    "refused": (completion(None, refusal="I will not say."), "change the rules or the prompt that it objects to"),
    "filtered": (completion("", "content_filter"), "set a model or an endpoint without that filter"),
    "tool_call": (
        completion(None, "tool_calls", tool_calls=[{"id": "c", "type": "function", "function": {}}]),
        "let an agent of your own run the tools",
    ),
}


@pytest.mark.parametrize("ending", ENDED)
async def test_replies_that_are_no_whole_answers_are_a_finding_of_their_own(diagnosed: Any, ending: str) -> None:
    body, advice = ENDED[ending]
    found = await diagnosed(Fault(200, body=body), 0, 2, 4)
    assert found.category == ending
    assert found.explanation.startswith("3 of 3 failed runs gave no whole answer, whatever was tried: ")
    assert advice in found.explanation
    assert "unable" not in found.explanation


@pytest.mark.parametrize(
    ("task", "settings", "told"),
    [
        ("", {}, "max_tokens under [agent] in task.toml (now the endpoint sets one)"),
        ("\n[agent]\nmax_tokens = 8\n", {}, "max_tokens under [agent] in task.toml (now 8)"),
        ("\n[agent]\nmax_tokens = 8\n", {"agent_max_tokens": 12}, "RATCHET_AGENT_MAX_TOKENS (now 12)"),
    ],
)
async def test_limit_that_cut_the_replies_off_is_named(
    project: Project, open_engine: OpenEngine, fail_runs: FailRuns, task: str, settings: Any, told: str
) -> None:
    project.write_task(toml=TASK + task, cases=shop_items())
    project.script("agent", Fault(200, body=ENDED["cut_off"][0]))
    engine = await open_engine(**settings)
    found = await diagnose_failures(engine, await engine.workbench("shop"), await fail_runs(engine, 0, 2))
    assert f"; raise {told}, or ask for shorter answers" in found.explanation


async def test_treatment_that_makes_cut_off_answers_shorter_is_the_cause(diagnosed: Any) -> None:
    def agent(messages: Any, request: Any) -> Any:
        answer = needs_requirement(messages, request)
        return answer if answer.startswith("bin") else Fault(200, body=completion(answer, "length"))

    assert (await diagnosed(agent, 0, 2)).category == "prompt"


@pytest.mark.parametrize("fault", [Fault(400), Fault(200, body="<html>"), Fault(422, body='{"detail": "colour"}')])
async def test_runs_that_crash_are_no_lack_of_capability(
    project: Project, engine: Engine, fail_runs: FailRuns, fault: Fault
) -> None:
    failures = await fail_runs(engine, 0, 2)
    project.script("agent", fault)
    with pytest.raises(TriageError, match=r"F-0: the run itself fails, whatever the prompt says: agent model "):
        await diagnose_failures(engine, await engine.workbench("shop"), failures)


async def test_treatments_that_all_crash_have_not_reached_the_model(
    project: Project, engine: Engine, fail_runs: FailRuns
) -> None:
    project.script("agent", "I do not know")
    failures = await fail_runs(engine, 0)
    first: list[Any] = []

    def agent(messages: Any, request: Any) -> Any:
        first.append(messages) if not first else None
        return "I do not know" if messages == first[0] else Fault(400)

    project.script("agent", agent)
    with pytest.raises(TriageError, match="the run itself fails, whatever the prompt says: agent model"):
        await diagnose_failures(engine, await engine.workbench("shop"), failures)
