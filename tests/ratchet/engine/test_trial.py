import pytest
from shop import Project, item_of

from ratchet.engine import Engine, Trial, score_all
from ratchet.llm import Fault

pytestmark = pytest.mark.anyio


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
