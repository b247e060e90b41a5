import pytest
from shop import BrokenRetriever, FailRuns, OpenEngine, Project, needs_context, shop_items, with_retriever

from ratchet.engine import Engine
from ratchet.errors import ModelUnavailableError
from ratchet.llm import Fault
from ratchet.prompting import TaskPrompt
from ratchet.prompting.changes import with_source
from ratchet.records import REPEAT, Fetched
from ratchet.triage.attempt import attempt
from ratchet.triage.treatments import Treatment

pytestmark = pytest.mark.anyio
HANDBOOK = Treatment(
    "context:handbook", "context", "shop", with_source(TaskPrompt(prompt="Answer the question."), "handbook", 1)
)


async def test_attempt_without_a_treatment_pays_for_another_run(
    project: Project, engine: Engine, fail_runs: FailRuns
) -> None:
    (failure,) = await fail_runs(engine, 0)
    script = project.script("agent", "bin00x")
    result = await attempt(engine, await engine.workbench("shop"), failure, None)
    assert (result.treatment, result.component, result.passed, result.calls) == (REPEAT, "shop", True, 1)
    assert len(script.calls) == 1


async def test_attempt_keeps_what_its_treatment_fetched(project: Project, engine: Engine, fail_runs: FailRuns) -> None:
    project.script("agent", needs_context)
    (failure,) = await fail_runs(engine, 0)
    result = await attempt(engine, await engine.workbench("shop"), failure, HANDBOOK)
    assert (result.treatment, result.output, result.passed) == ("context:handbook", "bin00x", True)
    assert result.fetched == [Fetched(source="handbook", text="The item00 is in bin00x.")]


async def test_attempt_that_the_model_refuses_has_failed(project: Project, engine: Engine, fail_runs: FailRuns) -> None:
    (failure,) = await fail_runs(engine, 0)
    project.script("agent", Fault(400))
    result = await attempt(engine, await engine.workbench("shop"), failure, HANDBOOK)
    assert (result.passed, result.calls, result.output) == (False, 1, "")
    assert result.error is not None
    assert result.error.startswith("agent model")


async def test_attempt_whose_source_does_not_answer_is_undecided(
    project: Project, open_engine: OpenEngine, fail_runs: FailRuns
) -> None:
    project.write_task(toml=with_retriever(project.add("retriever", BrokenRetriever())), cases=shop_items())
    engine = await open_engine()
    (failure,) = await fail_runs(engine, 0)
    result = await attempt(engine, await engine.workbench("shop"), failure, HANDBOOK)
    assert (result.passed, result.calls) == (None, 0)
    assert result.error == "context source 'handbook': OSError: the index is gone"


async def test_attempt_raises_where_the_endpoint_is_down(project: Project, engine: Engine, fail_runs: FailRuns) -> None:
    (failure,) = await fail_runs(engine, 0)
    project.script("agent", Fault(500))
    with pytest.raises(ModelUnavailableError):
        await attempt(engine, await engine.workbench("shop"), failure, None)
