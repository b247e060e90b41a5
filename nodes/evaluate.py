"""Score the run."""

from typing import cast

from langchain_core.runnables import RunnableConfig

from nodes.state import State, ending, thread_of
from ratchet.engine import SAME_RUN, Engine
from ratchet.store.documents import EvaluationDocument, RunDocument


async def evaluate(state: State, config: RunnableConfig, engine: Engine) -> State:
    """Score the output by the task's criteria and store the run."""
    run = state["run"]
    bench = await engine.workbench(state["task"], within=SAME_RUN)
    expected = run["expected"]
    evaluation = await engine.evaluate(bench, state["input"], run["output"], expected)
    result = evaluation.model_dump(mode="json")
    document: RunDocument = {
        **run,
        "input": state["input"],
        "thread_id": thread_of(config),
        "evaluation": cast(EvaluationDocument, result),
    }
    source = run["source"] or state["run_id"]
    await engine.store.runs.add(state["run_id"], bench.task.name, source, document, version=run["version"])
    update: State = {"evaluation": result}
    if evaluation.passed is True:
        update["outcome"] = ending("passed", "the run passed")
    elif evaluation.passed is None:
        update["outcome"] = ending(
            "unscored", "the run could not be scored: " + "; ".join(evaluation.problems or ["no expected output"])
        )
    return update
