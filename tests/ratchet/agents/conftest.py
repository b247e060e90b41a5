from typing import Any

import pytest
from shop import TASK, Project, shop_items

from ratchet.engine import Engine
from ratchet.prompting import TaskPrompt
from ratchet.records import AgentRun


@pytest.fixture
def run(project: Project, engine: Engine) -> Any:
    async def one(text: str = "Where is item00 kept?", toml: str = TASK, **prompts: Any) -> AgentRun:
        project.write_task(toml=toml, cases=shop_items())
        bench = await engine.workbench("shop")
        forms = {name: TaskPrompt.model_validate(prompt) for name, prompt in prompts.items()}
        return await engine.run(bench, text, prompts=bench.prompts | forms)

    return one
