from typing import Any

import pytest
from shop import TASK, Project, shop_items

from ratchet.proposers.requirements import Requirements

pytestmark = pytest.mark.anyio


async def test_requirements_states_what_failed_criteria_ask_for(situation: Any) -> None:
    (candidate,) = await Requirements().propose(await situation())
    assert candidate.prompt.prompt == "Answer the question.\nAnswer in at most 5 words."


async def test_requirements_that_are_stated_already_give_none(project: Project, situation: Any) -> None:
    project.write_prompts({"shop": "Answer the question. Answer in at most 5 words."})
    project.write_task(
        toml=TASK.replace("limit = 5", "limit = 5\nweight = 1.0"), cases=shop_items(), documents={"a.md": "a"}
    )
    start = await situation()
    assert await Requirements().propose(start) == []


async def test_requirements_of_criteria_that_passed_are_left_out(project: Project, situation: Any) -> None:
    late = '\n[[criteria]]\nname = "late"\nkind = "max_words"\nlimit = 99\n'
    project.write_task(toml=TASK + late, cases=shop_items(), documents={"a.md": "text"})
    start = await situation()
    assert start.failed == ["short"]
    (candidate,) = await Requirements().propose(start)
    assert "99" not in candidate.prompt.prompt
    assert (candidate.strategy, candidate.rationale) == ("requirements", "states what the failed criteria ask for")
