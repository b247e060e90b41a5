from typing import Any

import pytest
from shop import Project

from ratchet.errors import BudgetError, ModelUnavailableError
from ratchet.llm import Fault, Meter, metered
from ratchet.prompting import ContextStep
from ratchet.proposers.minimal_edit import MinimalEdit
from ratchet.proposers.rewrite import Rewrite, rewrite_request

pytestmark = pytest.mark.anyio


async def test_rewrite_takes_the_models_text(project: Project, situation: Any) -> None:
    script = project.script("optimizer", "```text\nAnswer shortly.\n```")
    (candidate,) = await Rewrite().propose(await situation(feedback="be kind"))
    assert candidate.prompt.prompt == "Answer shortly."
    assert "too long" in script.seen
    assert "be kind" in script.seen
    assert "Never ask for a password." in script.seen


@pytest.mark.parametrize("proposer", [Rewrite(), MinimalEdit()])
@pytest.mark.parametrize("reply", ["", "  \n ", "```\n\n```", Fault(400), Fault(200, body="<html>")])
async def test_model_that_gives_nothing_gives_no_candidate(
    project: Project, situation: Any, proposer: Any, reply: Any
) -> None:
    project.script("optimizer", reply)
    assert await proposer.propose(await situation()) == []


@pytest.mark.parametrize("proposer", [Rewrite(), MinimalEdit()])
async def test_model_that_is_down_or_too_expensive_is_raised(project: Project, situation: Any, proposer: Any) -> None:
    start = await situation()
    with metered(Meter(limit=0)), pytest.raises(BudgetError):
        await proposer.propose(start)
    project.script("optimizer", Fault(500))
    with pytest.raises(ModelUnavailableError):
        await proposer.propose(start)


async def test_rewrite_keeps_context_and_examples(project: Project, situation: Any) -> None:
    step = ContextStep(source="handbook", top_k=1)
    project.write_prompts({"shop": {"prompt": "Answer the question.", "context": [step.model_dump()]}})
    project.script("optimizer", "Answer shortly.")
    (candidate,) = await Rewrite().propose(await situation())
    assert (candidate.prompt.prompt, candidate.prompt.context) == ("Answer shortly.", [step])


async def test_rewrite_request_names_what_has_to_stay(project: Project, situation: Any) -> None:
    project.write_prompts({"shop": {"prompt": "Answer the question. Keep it legal.", "locked": ["Keep it legal."]}})
    request = rewrite_request(await situation())
    assert 'Keep these pieces of text exactly as they are: ["Keep it legal."]' in request
    assert "Why it fails, found by experiment: too long" in request
    assert request.endswith("What a reviewer asked for: nothing\n\nAnswer with the full new instructions only.")
