from collections.abc import Sequence
from typing import Any

import pytest
from shop import TASK, OpenEngine, Project, shop_items

from ratchet.calibration.canary import canary_problem, problem_of
from ratchet.engine import Engine
from ratchet.errors import ConfigurationError
from ratchet.llm import Fault
from ratchet.records import CriterionResult, Evaluation, Outcome

pytestmark = pytest.mark.anyio
JUDGE = '\n[[criteria]]\nname = "good"\nkind = "judge"\nquestion = "Is it good?"\nrequired = true\n'
CANARY = '\n[canary]\ninput = "Where is item00 kept?"\noutput = "bin00x"\n'
ONLY_JUDGE = 'description = "d"\ncomponents = ["shop"]\n' + JUDGE


async def problem(project: Project, engine: Engine, toml: str) -> str | None:
    project.write_task(toml=toml, cases=shop_items())
    return await canary_problem(engine, await engine.workbench("shop"))


async def test_canary_problem_is_none_without_a_canary(project: Project, engine: Engine) -> None:
    script = project.script("judge", {"reason": "fine", "verdict": True})
    assert await problem(project, engine, TASK + JUDGE) is None
    assert script.calls == []


@pytest.mark.parametrize("expected", ["elsewhere", "bin00x"])
async def test_canary_of_a_programmatic_task_has_to_fail(project: Project, engine: Engine, expected: str) -> None:
    found = await problem(project, engine, TASK + CANARY + f'expected = "{expected}"\n')
    assert (found is None) == (expected == "elsewhere")
    if found:
        assert "passes (correct, short)" in found
        assert "\n" not in found


@pytest.mark.parametrize("verdict", [True, False])
async def test_canary_has_to_fail_before_the_judge(project: Project, engine: Engine, verdict: bool) -> None:
    project.script("judge", {"reason": "r", "verdict": verdict})
    found = await problem(project, engine, ONLY_JUDGE + CANARY)
    assert (found is None) == (not verdict)
    if found:
        assert "RATCHET_JUDGE_MODEL" in found


@pytest.mark.parametrize("reply", ["no form", Fault(500)])
async def test_canary_that_the_judge_gives_no_verdict_on_is_a_problem(
    project: Project, engine: Engine, reply: Any
) -> None:
    project.script("judge", reply)
    assert "could not be scored (good: judge model" in str(await problem(project, engine, ONLY_JUDGE + CANARY))


async def test_canary_without_the_expected_output_it_needs_is_a_problem(project: Project, engine: Engine) -> None:
    assert "correct: no expected output is known" in str(await problem(project, engine, TASK + CANARY))


async def test_canary_raises_where_the_judge_is_refused(project: Project, engine: Engine) -> None:
    project.script("judge", Fault(401))
    with pytest.raises(ConfigurationError):
        await problem(project, engine, ONLY_JUDGE + CANARY)


async def test_canary_is_paid_for_once_for_each_judge(project: Project, open_engine: OpenEngine) -> None:
    script = project.script("judge", {"reason": "r", "verdict": False})
    engine = await open_engine()
    for _ in range(2):
        assert await problem(project, engine, ONLY_JUDGE + CANARY) is None
    assert len(script.calls) == 1
    other = project.add("other", project.script("judge", {"reason": "r", "verdict": True}))
    assert await problem(project, await open_engine(judge_model=f"scripted:{other}"), ONLY_JUDGE + CANARY)
    assert len(script.calls) == 1


def scored(passed: bool | None, problems: Sequence[str] = (), **outcomes: Outcome) -> Evaluation:
    decided = {"passed": True, "failed": False}
    results = [
        CriterionResult(name=name, outcome=outcome, passed=decided.get(outcome), score=None, comment="says why")
        for name, outcome in outcomes.items()
    ]
    return Evaluation(criteria=results, score=None, passed=passed, problems=list(problems))


@pytest.mark.parametrize(
    ("evaluation", "said"),
    [
        (scored(False, ["good: no"], good="failed"), None),
        (scored(True, good="passed", short="failed", polite="passed"), "known bad output, passes (good, polite): the"),
        (scored(None, ["good: no answer"], good="error"), "could not be scored (good: no answer)"),
        (scored(None, good="skipped", short="passed"), "could not be scored (good: says why; short: says why)"),
    ],
)
def test_problem_of_a_canary_names_the_criteria_that_are_to_blame(evaluation: Evaluation, said: str | None) -> None:
    found = problem_of(evaluation)

    assert found is None if said is None else said in str(found)
