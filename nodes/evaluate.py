"""Score the run."""

from typing import Any

from langchain_core.runnables import RunnableConfig

from nodes.state import State, ended, thread_of
from ratchet.engine import Engine


async def evaluate(state: State, config: RunnableConfig, engine: Engine) -> State:
    """Score the output by the task's criteria and store the run."""
    run: dict[str, Any] = state["run"] or {}
    bench = await engine.workbench(state["task"])
    expected = run["expected"]
    evaluation = await engine.evaluate(bench, state["input"], run["output"], expected)
    document = {
        **run,
        "input": state["input"],
        "thread_id": thread_of(config),
        "evaluation": evaluation.model_dump(mode="json"),
    }
    source = run["source"] or state["run_id"]
    await engine.store.runs.add(state["run_id"], bench.task.name, source, document, version=run["version"])
    update: State = {"evaluation": document["evaluation"]}
    if evaluation.passed is True:
        update["outcome"] = ended("passed", "the run passed")
    elif evaluation.passed is None:
        update["outcome"] = ended(
            "unscored", "the run could not be scored: " + "; ".join(evaluation.problems or ["no expected output"])
        )
    return update
