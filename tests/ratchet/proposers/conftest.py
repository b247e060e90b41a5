from typing import Any

import pytest
from shop import FailRuns, Project, needs_requirement

from ratchet.engine import Engine
from ratchet.proposers import Situation
from ratchet.records import Diagnosis


@pytest.fixture
def situation(project: Project, engine: Engine, fail_runs: FailRuns) -> Any:
    async def make(feedback: str = "", **overrides: Any) -> Situation:
        project.script("agent", needs_requirement)
        failures = await fail_runs(engine, 0, 2, **overrides)
        diagnosis = Diagnosis(category="prompt", component="shop", failures=["F-0"], explanation="too long")
        return Situation(engine, await engine.workbench("shop"), "shop", diagnosis, failures, feedback)

    return make
