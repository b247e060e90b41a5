"""Score the run."""

from typing import cast

from langchain_core.runnables import RunnableConfig

from nodes.state import State, ending, own_run
from ratchet.engine import SAME_RUN, Engine, Problem
from ratchet.records import Evaluation, Step
from ratchet.store.documents import EvaluationDocument, RunDocument


async def evaluate(state: State, config: RunnableConfig, engine: Engine) -> State:
    """Score the output of the stored run by the task's criteria; a run is scored once."""
    row = await own_run(engine, state, config)
    run = row["document"]
    if run["evaluation"] is None:
        evaluation = await _score(engine, row["task"], run)
        await engine.store.runs.score(row["id"], cast(EvaluationDocument, evaluation.model_dump(mode="json")))
    else:
        evaluation = Evaluation.model_validate(run["evaluation"])
    update: State = {"evaluation": evaluation.model_dump(mode="json")}
    bench = await engine.workbench(row["task"], within=SAME_RUN)
    warning = [bench.problem] if bench.problem else []
    if evaluation.passed is True:
        update["outcome"] = ending("passed", "; ".join(["the run passed", *warning]))
    elif evaluation.passed is None:
        why = "; ".join(evaluation.problems or ["no expected output"])
        update["outcome"] = ending("unscored", "; ".join([f"the run could not be scored: {why}", *warning]))
    return update


async def _score(engine: Engine, task: str, run: RunDocument) -> Evaluation:
    if run["problem"]:
        return Problem(**run["problem"]).evaluation
    bench = await engine.workbench(task, within=SAME_RUN)
    trace = [Step.model_validate(step) for step in run["trace"]]
    return await engine.evaluate(bench, run["input"], run["output"], run["expected"], trace)
