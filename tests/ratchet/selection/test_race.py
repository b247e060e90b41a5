from typing import Any

import pytest
from shop import FailRuns, Project, item_of, needs_requirement

from ratchet.cycle import as_trials
from ratchet.engine import Engine
from ratchet.gate import level
from ratchet.llm import Fault
from ratchet.prompting import TaskPrompt
from ratchet.records import Candidate
from ratchet.selection import RaceResult, prove, race
from ratchet.selection.sampling import shuffled
from ratchet.trial import Trial, score_all

pytestmark = pytest.mark.anyio
GOOD = "Answer the question. Answer in at most 5 words."


def candidate(text: str) -> Candidate:
    return Candidate(strategy="s", rationale=text, prompt=TaskPrompt(prompt=text))


@pytest.fixture
def raced(project: Project, engine: Engine, fail_runs: FailRuns) -> Any:
    async def run(agent: Any, *texts: str) -> RaceResult:
        project.script("agent", "I do not know")
        failures = await fail_runs(engine, 0, 2)
        project.script("agent", agent)
        bench = await engine.workbench("shop")
        return await race(engine, bench, "shop", [candidate(text) for text in texts], as_trials(failures))

    return run


async def test_race_is_won_by_the_better_candidate(raced: Any) -> None:
    found = await raced(needs_requirement, "Worse.", GOOD, "Bad.")
    assert found.winner is not None
    assert found.winner.prompt.prompt == GOOD
    assert (found.fixed, found.triggering) == (2, 2)
    assert {result.rationale: result.status for result in found.standings} == {
        "Worse.": "lost",
        GOOD: "chosen",
        "Bad.": "lost",
    }


async def test_race_between_equals_is_won_by_the_cheaper_one(raced: Any) -> None:
    found = await raced(needs_requirement, GOOD + " And so on and on.", GOOD)
    assert found.winner is not None
    assert found.winner.prompt.prompt == GOOD


@pytest.mark.parametrize("agent", ["I do not know", lambda messages, _: f"bin{item_of(messages)}x" * 2])
async def test_race_without_improvement_has_no_winner(raced: Any, agent: Any) -> None:
    def only_failures_stay(messages: Any, request: Any) -> Any:
        return "no" if item_of(messages) in ("00", "02") else agent(messages, request) if callable(agent) else agent

    found = await raced(only_failures_stay, "One.", "Two.")
    assert (found.winner, found.fixed) == (None, 0)
    assert {result.status for result in found.standings} == {"lost"}


async def test_race_has_no_winner_where_training_cases_get_worse(raced: Any) -> None:
    def trades(messages: Any, request: Any) -> str:
        item = item_of(messages)
        fixed = "at most 5 words" in messages[0]["content"]
        return f"bin{item}x" if (item in ("00", "02")) == fixed else "no"

    found = await raced(trades, GOOD)
    assert found.winner is None
    assert "the prompt in force passes 8 of the last 8" in found.standings[0].reason


async def test_race_of_nobody_has_no_winner(raced: Any) -> None:
    found = await raced("x")
    assert (found.winner, found.triggering, found.standings) == (None, 2, [])


async def test_race_never_meets_held_out_cases(project: Project, raced: Any) -> None:
    await raced(needs_requirement, GOOD, "Other.")
    assert {int(item_of(messages)) % 2 for messages in project.script("agent", "x").calls} == set()
    script = project.script("agent", needs_requirement)
    await raced(needs_requirement, GOOD + " Shortly.")
    assert {int(item_of(messages)) % 2 for messages in script.calls} == {0}


async def test_prove_stops_when_the_answer_is_clear(project: Project, engine: Engine) -> None:
    script = project.script("agent", needs_requirement)
    bench = await engine.workbench("shop")
    seen: list[tuple[int, int]] = []
    comparison = await prove(
        engine, bench, "shop", TaskPrompt(prompt=GOOD), bench.holdout,
        level=level(1, 0), salt="C", progress=lambda done, total: seen.append((done, total)),
    )  # fmt: skip
    assert comparison.result(fixed=1, triggering=1).proven
    assert seen == [(8, 20), (16, 20)]
    assert len(script.calls) == 32
    assert {int(item_of(messages)) % 2 for messages in script.calls} == {1}


async def test_prove_pays_for_the_baseline_once(project: Project, engine: Engine) -> None:
    script = project.script("agent", needs_requirement)
    bench = await engine.workbench("shop")
    for text in (GOOD, GOOD + " Shortly."):
        await prove(engine, bench, "shop", TaskPrompt(prompt=text), bench.holdout, level=0.05, salt="C")
    assert len(script.calls) == 3 * 16


async def test_prove_of_no_cases_proves_nothing(engine: Engine) -> None:
    bench = await engine.workbench("shop")
    comparison = await prove(engine, bench, "shop", TaskPrompt(prompt=GOOD), [], level=1.0, salt="C")
    assert comparison.result(fixed=1, triggering=1).proven is False


async def test_refused_request_is_a_failure_of_that_trial_only(project: Project, engine: Engine) -> None:
    project.script("agent", lambda messages, _: Fault(400) if item_of(messages) == "00" else f"bin{item_of(messages)}x")
    bench = await engine.workbench("shop")
    trials = [Trial(case.input, case.expected) for case in bench.cases[:3]]
    scored = await score_all(engine, bench, bench.prompts, trials)
    assert [result.evaluation.passed for result in scored] == [False, True, True]
    assert scored[0].evaluation.problems[0].startswith("run: agent model")


async def test_progress_tells_every_trial(project: Project, engine: Engine) -> None:
    bench = await engine.workbench("shop")
    trials = [Trial(case.input, case.expected) for case in bench.cases[:3]]
    seen: list[tuple[int, int]] = []
    await score_all(engine, bench, bench.prompts, trials, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 3), (2, 3), (3, 3)]


def test_shuffled_depends_on_key_and_salt_only() -> None:
    items = [str(number) for number in range(30)]
    assert shuffled(items, key=str) == shuffled(items[::-1], key=str) != items
    assert shuffled(items, key=str, salt="a") != shuffled(items, key=str, salt="b")
    assert sorted(shuffled(items, key=str)) == sorted(items)
