import asyncio
from typing import Any

import pytest
from shop import (
    TASK,
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

from ratchet.agents import caller
from ratchet.engine import Engine
from ratchet.errors import TriageError
from ratchet.llm import Meter, metered
from ratchet.records import AgentRun, Attempt, Evaluation, FailureBundle, Fetched
from ratchet.triage import triage_failure
from ratchet.triage.cause import missing_text

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("agent", "category", "treatment", "calls"),
    [
        (needs_requirement, "prompt", "requirements", 2),
        (needs_context, "context", "context:handbook", 2),
        (Flickering(), "unstable", None, 1),
        ("I do not know", "capability", None, 5),
    ],
)
async def test_triage_stops_as_soon_as_the_cause_is_clear(
    project: Project, engine: Engine, fail_runs: FailRuns, agent: Any, category: str, treatment: str | None, calls: int
) -> None:
    script = project.script("agent", agent)
    (failure,) = await fail_runs(engine, 0)
    script.calls.clear()
    found = await triage_failure(engine, await engine.workbench("shop"), failure)
    assert (found.category, found.treatment, found.calls) == (category, treatment, calls)
    assert len(script.calls) <= calls  # one document fits, so that the deeper retrieval asks the same again
    assert found.attempts[0].treatment == "repeat"


async def test_triage_says_what_was_missing_and_where_it_stood(
    project: Project, engine: Engine, fail_runs: FailRuns
) -> None:
    project.script("agent", needs_context)
    (failure,) = await fail_runs(engine, 6)
    found = await triage_failure(engine, await engine.workbench("shop"), failure)
    assert (found.source, found.missing) == ("handbook", "The item06 is in bin06x.")


def test_missing_text_is_cut_around_the_answer() -> None:
    texts = ["nothing of use", "x " * 400 + "the ANSWER stands here " + "y " * 400]
    fetched = [Fetched(source="s", text=text) for text in texts]
    tried = Attempt(treatment="t", component="c", output="", passed=True, calls=1, fetched=fetched)
    assert "the ANSWER stands here" in missing_text(tried, ["zebra", "answer"])
    assert len(missing_text(tried, "answer")) <= 300
    assert missing_text(tried, None) == "nothing of use"
    assert missing_text(tried.model_copy(update={"fetched": []}), "answer") == ""


async def test_triage_asks_for_the_same_thing_only_once(project: Project, engine: Engine, fail_runs: FailRuns) -> None:
    (failure,) = await fail_runs(engine, 0)
    bench = await engine.workbench("shop")
    with metered(Meter()) as meter:
        first = await triage_failure(engine, bench, failure)
        paid = meter.calls
        second = await triage_failure(engine, bench, failure)
    assert (meter.calls, second) == (paid, first)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"expected": None}, "F-0 has no expected output, which the criterion 'correct' compares with"),
        (
            {"version": 7},
            r"F-0 was made by version 7 of the prompts, which is not in the history of shop \(there are: 1\)",
        ),
        ({"component": "gone"}, "F-0 was made by component 'gone', which task shop has no more"),
    ],
)
async def test_triage_refuses_what_it_cannot_find_out(
    project: Project, engine: Engine, fail_runs: FailRuns, change: dict[str, Any], reason: str
) -> None:
    script = project.script("agent", "I do not know")
    (failure,) = await fail_runs(engine, 0, **change)
    script.calls.clear()
    with pytest.raises(TriageError, match=reason):
        await triage_failure(engine, await engine.workbench("shop"), failure)
    assert script.calls == []


async def test_triage_needs_no_expected_output_where_no_criterion_does(
    project: Project, open_engine: OpenEngine, fail_runs: FailRuns
) -> None:
    toml = TASK.replace(
        'name = "correct"\nkind = "contains"\nrequired = true', 'name = "x"\nkind = "regex"\npattern = "."'
    )
    project.write_task(toml=toml, cases=shop_items())
    project.script("agent", needs_requirement)
    engine = await open_engine()
    (failure,) = await fail_runs(engine, 0, expected=None)
    assert (await triage_failure(engine, await engine.workbench("shop"), failure)).category == "prompt"


async def test_triage_gives_up_a_source_that_hangs(
    project: Project, open_engine: OpenEngine, fail_runs: FailRuns, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Hanging:
        async def ainvoke(self, query: str) -> Any:
            await asyncio.sleep(60)

    monkeypatch.setattr(caller, "FETCH_SECONDS", 0.05)
    project.write_task(toml=with_retriever(project.add("r", Hanging())), cases=shop_items())
    engine = await open_engine()
    (failure,) = await fail_runs(engine, 0)
    broken: dict[str, str] = {}
    with pytest.raises(TriageError, match="not everything could be tried: context source 'handbook': no answer within"):
        await triage_failure(engine, await engine.workbench("shop"), failure, broken=broken)
    assert list(broken) == ["handbook"]


PAIR = """
description = "Says where things are kept"
components = ["finder", "writer"]

[agent]
use = "{use}"

[[criteria]]
name = "correct"
kind = "contains"
required = true

[[context_sources]]
name = "handbook"
kind = "documents"
path = "documents"
"""


@pytest.mark.parametrize("at_fault", ["finder", "writer"])
async def test_triage_finds_the_component_at_fault(project: Project, open_engine: OpenEngine, at_fault: str) -> None:
    async def steps(text: str, call: Any) -> str:
        found: str = await call("finder", text)
        written: str = await call("writer", f"{text} {found}")
        return written

    def model(messages: list[dict[str, Any]], request: Any) -> str:
        system, last = messages[0]["content"], messages[-1]["content"]
        informed = f"item{item_of(messages)} is in" in system
        if "Find it." in system:
            return "shelf" if at_fault == "finder" and informed else "no idea"
        return f"bin{item_of(messages)}x" if "shelf" in last or (at_fault == "writer" and informed) else "I do not know"

    documents = {f"{n}.md": f"The item{n:02d} is in bin{n:02d}x." for n in range(20)}
    project.write_task("pair", PAIR.replace("{use}", project.add("steps", steps)), shop_items(), documents)
    project.write_prompts({"finder": "Find it.", "writer": "Write it."})
    project.script("agent", model)
    engine = await open_engine()
    bench = await engine.workbench("pair")
    case = bench.train[1]
    run: AgentRun = await engine.run(bench, case.input, prompts=bench.prompts)
    evaluation: Evaluation = await engine.evaluate(bench, case.input, run.output, case.expected)
    failure = FailureBundle(
        id="F-1", run_id="R-1", task="pair", component="writer", input=case.input, output=run.output,
        expected=case.expected, evaluation=evaluation, prompts=bench.prompts, version=bench.version, rules_hash="",
        model="m", trace=run.trace, source="s", thread_id=None, created_at="",
    )  # fmt: skip
    found = await triage_failure(engine, bench, failure)
    assert (found.category, found.component, found.treatment) == ("context", at_fault, f"{at_fault}: context:handbook")


@pytest.mark.parametrize("scored", [0, 1, 2])
async def test_triage_takes_no_output_that_could_not_be_scored_for_a_failure(
    project: Project, engine: Engine, fail_runs: FailRuns, scored: int
) -> None:
    (failure,) = await fail_runs(engine, 0)
    left = scored

    def evaluator(**_: Any) -> bool:
        nonlocal left
        if not left:
            raise OSError("the judge is down")
        left -= 1
        return False

    use = project.add("evaluator", evaluator)
    criterion = f'[[criteria]]\nname = "good"\nkind = "python"\nuse = "{use}"\nrequired = true\n'
    project.write_task(toml=TASK.split("[[criteria]]")[0] + criterion + with_handbook(), cases=shop_items())
    with pytest.raises(TriageError, match="could not be scored"):
        await triage_failure(engine, await engine.workbench("shop"), failure)


def with_handbook() -> str:
    return "\n[[context_sources]]" + TASK.split("[[context_sources]]")[1]
