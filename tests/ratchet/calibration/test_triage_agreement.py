from typing import Any, NamedTuple

import pytest
from shop import FailRuns, Project, item_of

from ratchet.calibration import TriageLabel, measure_triage
from ratchet.engine import Engine
from ratchet.errors import ConfigurationError, ModelUnavailableError, TriageError
from ratchet.llm import Fault
from ratchet.prompting import TaskPrompt
from ratchet.records import Category, FailureBundle

pytestmark = pytest.mark.anyio


class Cause(NamedTuple):
    category: Category


class Oracle:
    """Says what it was told to about each item, after as many model calls as it was told to make."""

    def __init__(self, calls: int = 0, **said: Any) -> None:
        self.said = said
        self.calls = calls
        self.failures: list[FailureBundle] = []
        self.prompts: list[Any] = []

    async def __call__(self, engine: Engine, bench: Any, failure: FailureBundle) -> Any:
        self.failures.append(failure)
        self.prompts.append(bench.prompts)
        for number in range(self.calls):
            await engine.models.reply("agent", [{"role": "user", "content": f"{failure.input} {number}"}])
        said = self.said[item_of([{"content": failure.input}])]
        if isinstance(said, Exception):
            raise said
        return Cause(said)


def label(item: int, category: Category, **more: Any) -> TriageLabel:
    return TriageLabel(f"f:{item}", f"Where is item{item:02d} kept?", category, f"bin{item:02d}x", **more)


async def measured(engine: Engine, oracle: Oracle, *labels: TriageLabel, **options: Any) -> Any:
    return await measure_triage(engine, await engine.workbench("shop"), labels, oracle, **options)


async def test_measure_triage_compares_experiments_and_the_analyst_with_the_labels(
    project: Project, engine: Engine
) -> None:
    oracle = Oracle(**{"00": "context", "02": "capability", "04": "prompt", "06": "unstable"})
    labels = [label(0, "context"), label(2, "context"), label(4, "prompt"), label(6, "capability")]

    found = await measured(engine, oracle, *labels)

    assert (found.n, found.accuracy.passed, found.analyst.passed) == (4, 2, 1)
    assert found.confusion == {
        "capability": {"unstable": 1},
        "context": {"capability": 1, "context": 1},
        "prompt": {"prompt": 1},
    }
    assert found.analyst_confusion == {
        "capability": {"capability": 1},
        "context": {"capability": 2},
        "prompt": {"capability": 1},
    }
    assert (found.did_not_fail, found.problems) == ([], [])


async def test_measure_triage_serves_the_input_once_and_stores_no_failure(project: Project, engine: Engine) -> None:
    script = project.script("agent", "I do not know")
    oracle = Oracle(**{"00": "prompt"})
    for _ in range(2):
        await measured(engine, oracle, label(0, "prompt"))
    assert len(script.calls) == 1
    (first, again) = oracle.failures
    assert (first.input, first.output, first.expected) == ("Where is item00 kept?", "I do not know", "bin00x")
    assert (first.component, first.evaluation.failed, first.version) == ("shop", ["correct"], 1)
    same = {"created_at": "", "trace": []}  # the second run reuses the reply, which costs no seconds
    assert first.model_copy(update=same) == again.model_copy(update=same)
    assert await engine.store.failures.of_task("shop") == []


async def test_measure_triage_leaves_out_inputs_that_do_not_fail(project: Project, engine: Engine) -> None:
    project.script("agent", lambda messages, request: f"bin{item_of(messages)}x")
    oracle = Oracle()
    found = await measured(engine, oracle, label(0, "prompt"))
    assert (found.n, found.did_not_fail, found.confusion, oracle.failures) == (0, ["f:0"], {}, [])
    assert found.calls_per_failure == 0


async def test_measure_triage_takes_the_stored_failure_under_the_prompts_it_happened_under(
    project: Project, engine: Engine, fail_runs: FailRuns
) -> None:
    (stored,) = await fail_runs(engine, 0)
    project.write_prompts({"shop": "Answer it better."})
    oracle = Oracle(**{"00": "prompt"})
    found = await measured(engine, oracle, label(0, "prompt", failure_id="F-0"))
    assert oracle.failures == [stored]
    assert oracle.prompts == [{"shop": TaskPrompt(prompt="Answer the question.")}]
    assert found.accuracy.passed == 1


async def test_measure_triage_serves_the_input_of_a_failure_that_is_not_stored_here(engine: Engine) -> None:
    oracle = Oracle(**{"00": "prompt"})
    await measured(engine, oracle, label(0, "prompt", failure_id="F-elsewhere"))
    assert oracle.failures[0].id == "label-0"


async def test_measure_triage_refuses_a_failure_of_another_task(engine: Engine, fail_runs: FailRuns) -> None:
    await fail_runs(engine, 0, task="desk")
    with pytest.raises(ConfigurationError, match="f:0: failure F-0 is one of task desk"):
        await measured(engine, Oracle(), label(0, "prompt", failure_id="F-0"))


async def test_measure_triage_counts_what_cannot_be_triaged_as_not_right(engine: Engine) -> None:
    oracle = Oracle(**{"00": TriageError("no source answers"), "02": "prompt"})
    found = await measured(engine, oracle, label(0, "prompt"), label(2, "prompt"))
    assert (found.accuracy.passed, found.accuracy.n) == (1, 2)
    assert found.confusion == {"prompt": {"none": 1, "prompt": 1}}
    assert found.problems == ["f:0: no source answers"]


async def test_measure_triage_counts_inputs_that_cannot_be_served(project: Project, engine: Engine) -> None:
    project.script("agent", Fault(400))
    found = await measured(engine, Oracle(), label(0, "prompt"))
    assert (found.n, found.accuracy.passed) == (1, 0)
    assert found.problems[0].startswith("f:0: agent model")


async def test_measure_triage_counts_runs_that_cannot_be_scored(engine: Engine) -> None:
    found = await measured(engine, Oracle(), label(0, "prompt")._replace(expected=None))
    assert (found.n, found.did_not_fail) == (1, [])
    assert found.problems == ["f:0: the run could not be scored (the label says no expected output)"]


async def test_measure_triage_raises_where_the_endpoint_is_down(project: Project, engine: Engine) -> None:
    project.script("agent", Fault(500))
    with pytest.raises(ModelUnavailableError):
        await measured(engine, Oracle(), label(0, "prompt"))


async def test_measure_triage_counts_the_calls_of_each_failure_by_itself(engine: Engine) -> None:
    oracle = Oracle(3, **{f"{item:02d}": "prompt" for item in range(0, 12, 2)})
    labels = [label(item, "prompt") for item in range(0, 12, 2)]
    first, again = await measured(engine, oracle, *labels), await measured(engine, oracle, *labels)
    assert (first.calls, first.reused, first.calls_per_failure, first.analyst_calls_per_failure) == (24, 0, 3.0, 1.0)
    assert (again.calls, again.reused, again.calls_per_failure, again.analyst_calls_per_failure) == (0, 24, 3.0, 1.0)


async def test_measure_triage_takes_a_balanced_sample(engine: Engine) -> None:
    oracle = Oracle(**{f"{item:02d}": "prompt" for item in range(0, 20, 2)})
    labels = [label(item, "context" if item == 18 else "prompt") for item in range(0, 20, 2)]
    found = await measured(engine, oracle, *labels, limit=2)
    assert found.confusion == {"context": {"prompt": 1}, "prompt": {"prompt": 1}}


async def test_measure_triage_notes_an_analyst_without_an_answer(project: Project, engine: Engine) -> None:
    project.script("analyst", "no form")
    found = await measured(engine, Oracle(**{"00": "prompt"}), label(0, "prompt"))
    assert (found.analyst_confusion, found.analyst.passed) == ({"prompt": {"none": 1}}, 0)
