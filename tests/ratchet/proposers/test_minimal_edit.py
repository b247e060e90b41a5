from dataclasses import replace
from typing import Any

import pytest
from shop import Project

from ratchet.errors import BudgetError
from ratchet.llm import Fault, Meter, metered
from ratchet.proposers.minimal_edit import MinimalEdit

pytestmark = pytest.mark.anyio
LONG = "Answer the question. Be very long. Keep it legal."


def optimizer(change: Any, add: Any = "") -> Any:
    return lambda messages, request: change if "response_format" in request else add


async def texts(situation: Any) -> dict[str, str]:
    return {
        candidate.rationale: candidate.prompt.prompt for candidate in await MinimalEdit().propose(await situation())
    }


async def test_minimal_edit_adds_the_first_line(project: Project, situation: Any) -> None:
    script = project.script("optimizer", "\nBe brief.\nAnd this is too much.")
    (candidate,) = await MinimalEdit().propose(await situation(feedback="be kind"))
    assert candidate.prompt.prompt == "Answer the question.\nBe brief."
    assert "be kind" in script.seen


async def test_minimal_edit_changes_the_sentence_that_the_model_names(project: Project, situation: Any) -> None:
    project.write_prompts({"shop": {"prompt": LONG, "locked": ["Keep it legal."]}})
    script = project.script("optimizer", optimizer({"number": 2, "sentence": "Be brief."}, "Think."))
    assert await texts(situation) == {
        "adds one sentence": LONG + "\nThink.",
        "changes one sentence": "Answer the question. Be brief. Keep it legal.",
        "drops one sentence": "Answer the question. Keep it legal.",
    }
    assert "1. Answer the question.\n2. Be very long.\ndata-" in script.seen


@pytest.mark.parametrize(
    "change",
    [
        "", "rubbish", {}, {"number": 0, "sentence": "Be brief."}, {"number": 4, "sentence": "Be brief."},
        {"number": 2, "sentence": ""}, {"number": 2, "sentence": "Be very long."}, {"number": 2, "sentence": "?!"},
        {"number": 2, "sentence": "adults " * 50}, {"number": 2, "sentence": "x" * 401}, Fault(400),
        Fault(200, body="<html>"), {"number": 2, "sentence": "I'm sorry, but I can't help with that."},
    ],
)  # fmt: skip
async def test_rubbish_of_the_model_changes_nothing(project: Project, situation: Any, change: Any) -> None:
    project.write_prompts({"shop": LONG})
    project.script("optimizer", optimizer(change))
    assert await texts(situation) == {"drops one sentence": "Answer the question. Be very long."}


@pytest.mark.parametrize("add", ["Be very long.", "adults " * 60, "y" * 401, "...", "\n"])
async def test_rubbish_of_the_model_adds_nothing(project: Project, situation: Any, add: str) -> None:
    project.write_prompts({"shop": LONG})
    project.script("optimizer", optimizer({}, add))
    assert list(await texts(situation)) == ["drops one sentence"]


async def test_sentence_that_the_cycle_has_added_is_not_dropped(project: Project, situation: Any) -> None:
    project.write_prompts({"shop": LONG})
    made = await situation()
    base = made.prompt.model_copy(update={"prompt": LONG + "\nAnswer in at most 5 words."})
    (candidate,) = await MinimalEdit().propose(replace(made, base=base))
    assert candidate.prompt.prompt == "Answer the question. Be very long. Answer in at most 5 words."


async def test_first_sentence_is_never_dropped(project: Project, situation: Any) -> None:
    project.write_prompts({"shop": {"prompt": "Answer the question. Keep it legal.", "locked": ["Keep it legal."]}})
    assert await texts(situation) == {}


async def test_budget_is_told(project: Project, situation: Any) -> None:
    made = await situation()
    with metered(Meter(limit=0)), pytest.raises(BudgetError):
        await MinimalEdit().propose(made)
