from typing import Any

import pytest
from shop import TASK, Project, shop_items

from ratchet.engine import Harness, Workbench
from ratchet.prompting import load_prompts, load_rules
from ratchet.proposers import Situation
from ratchet.records import Diagnosis, Evaluation, FailureBundle
from ratchet.sources import SolvedCases
from ratchet.tasks import load_cases, load_task

OLD = "Answer the question in {tone} words. Keep it legal."
QUOTED = "my neighbour Hilda borrowed the red ladder yesterday"
FAILING = f"Please help: {QUOTED}, write to hilda.b+x@example.org or 030 1234 5678, order AB98765."


@pytest.fixture
def situation(project: Project) -> Situation:
    project.write_prompts({"shop": {"prompt": OLD, "locked": ["Keep it legal."]}})
    project.write_task(toml=TASK.replace("[[criteria]]", 'variables = ["tone"]\n[[criteria]]', 1), cases=shop_items())
    task = load_task(project.folder / "tasks", "shop")
    cases, prompts, rules = load_cases(task), load_prompts(project.prompts_file), load_rules(project.rules_file)
    bench = Workbench(task, cases, rules, sources={}, solved=SolvedCases(cases), prompts=prompts, version=1)
    failure = FailureBundle(
        id="F-0", run_id="R-0", task="shop", component="shop", input=FAILING, output="I do not know", expected=None,
        evaluation=Evaluation(criteria=[], score=0.0, passed=False, problems=[]), prompts=prompts, version=1,
        rules_hash="h", model="m", trace=[], source="s", thread_id=None, created_at="now",
    )  # fmt: skip
    diagnosis = Diagnosis(category="prompt", component="shop", failures=["F-0"], explanation="e")
    no_models: Any = None
    return Situation(Harness(no_models), bench, "shop", diagnosis, [failure])


@pytest.fixture
def failing_on(situation: Situation) -> Any:
    """The situation with other failing inputs."""

    def make(*inputs: str) -> Situation:
        failures = [situation.failures[0].model_copy(update={"input": text}) for text in inputs]
        return Situation(situation.harness, situation.bench, "shop", situation.diagnosis, failures)

    return make
