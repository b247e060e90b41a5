import pytest
from shop import BrokenRetriever, Project, item_of, shop_items, with_retriever

from ratchet.engine import Engine, Problem, Trial, score_all, score_one, try_prompt, with_prompt
from ratchet.errors import BudgetError, ConfigurationError, ModelUnavailableError
from ratchet.llm import Fault, Meter, metered
from ratchet.prompting.changes import with_source
from ratchet.records import AgentRun

pytestmark = pytest.mark.anyio
TEXT = "Where is item00 kept?"


async def test_try_prompt_gives_the_run(project: Project, engine: Engine) -> None:
    project.script("agent", "bin00x")
    bench = await engine.workbench("shop")
    run = await try_prompt(engine, bench, bench.prompts, TEXT)
    assert isinstance(run, AgentRun)
    assert run.output == "bin00x"


async def test_try_prompt_takes_a_refused_request_for_the_prompts_failure(project: Project, engine: Engine) -> None:
    project.script("agent", Fault(400))
    bench = await engine.workbench("shop")
    problem = await try_prompt(engine, bench, bench.prompts, TEXT)
    assert isinstance(problem, Problem)
    assert (problem.fault, problem.passed) == ("request", False)
    assert problem.message.startswith("agent model")


async def test_try_prompt_leaves_a_source_that_does_not_answer_undecided(project: Project, engine: Engine) -> None:
    project.write_task(toml=with_retriever(project.add("retriever", BrokenRetriever())), cases=shop_items())
    bench = await engine.workbench("shop")
    prompts = with_prompt(bench.prompts, "shop", with_source(bench.prompts["shop"], "handbook", 1))
    problem = await try_prompt(engine, bench, prompts, TEXT)
    assert problem == Problem("source", "context source 'handbook': OSError: the index is gone")
    assert problem.passed is None
    scored = await score_one(engine, bench, prompts, Trial(TEXT, "bin00x"))
    assert (scored.output, scored.evaluation.passed, scored.evaluation.score) == ("", None, None)
    assert scored.evaluation.problems == ["run: context source 'handbook': OSError: the index is gone"]


async def test_try_prompt_raises_what_says_nothing_about_any_input(project: Project, engine: Engine) -> None:
    bench = await engine.workbench("shop")
    project.script("agent", Fault(500))
    with pytest.raises(ModelUnavailableError):
        await try_prompt(engine, bench, bench.prompts, TEXT)
    with pytest.raises(ConfigurationError, match="no prompt for 'shop'"):
        await try_prompt(engine, bench, {}, TEXT)
    with metered(Meter(limit=0)), pytest.raises(BudgetError):
        await try_prompt(engine, bench, bench.prompts, TEXT)


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
