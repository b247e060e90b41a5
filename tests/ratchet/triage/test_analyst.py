from typing import Any

import pytest
from shop import FailRuns, Project, needs_requirement

from ratchet.engine import Engine
from ratchet.errors import BudgetError, ConfigurationError
from ratchet.evaluators.judge import data_mark
from ratchet.llm import Fault, Meter, metered
from ratchet.prompting import TaskPrompt
from ratchet.records import Opinion, describe_failures
from ratchet.triage.analyst import ask_analyst

pytestmark = pytest.mark.anyio
PROMPT = TaskPrompt(prompt="Answer the question.", locked=["Answer"])


@pytest.fixture
def ask(project: Project, engine: Engine, fail_runs: FailRuns) -> Any:
    """Asks about two failures, under `PROMPT` or another one."""

    async def run(prompt: TaskPrompt | None = PROMPT) -> Opinion:
        project.script("agent", needs_requirement)
        return await ask_analyst(engine.models, prompt, await fail_runs(engine, 0, 2))

    return run


async def test_opinion_is_what_the_analyst_says(project: Project, ask: Any) -> None:
    project.script("analyst", {"category": "prompt", "missing": "the length", "explanation": "it is not told"})
    assert await ask() == Opinion(category="prompt", missing="the length", explanation="it is not told")


async def test_analyst_sees_the_prompt_and_what_went_wrong_as_marked_data(
    project: Project, engine: Engine, ask: Any
) -> None:
    script = project.script("analyst", {"category": "prompt", "missing": "", "explanation": ""})
    await ask()
    ((message,),) = script.calls
    shown = "Answer the question.\n[locked] Answer"
    wrong = describe_failures(await engine.store.failures.bundles(["F-0", "F-2"]))
    mark = data_mark(shown, wrong)
    assert f"Instructions of the agent:\n{mark}\n{shown}\n{mark}\n" in message["content"]
    assert f"Failed runs:\n{mark}\n{wrong}\n{mark}\n" in message["content"]
    assert "Where is item00 kept?" in wrong


async def test_analyst_is_asked_without_a_prompt_where_the_component_is_gone(project: Project, ask: Any) -> None:
    script = project.script("analyst", {"category": "context", "missing": "", "explanation": ""})
    assert (await ask(None)).category == "context"
    assert "Answer the question." not in script.seen


@pytest.mark.parametrize(
    ("reply", "told"),
    [
        ("no form", "the reply is no AnalystAnswer: 'no form'"),
        ({"category": "weather", "missing": "", "explanation": ""}, "the reply is no AnalystAnswer"),
        (Fault(400), "analyst model"),
        (Fault(500), "analyst model"),
    ],
)
async def test_analyst_without_a_usable_answer_has_an_error_and_no_category(
    project: Project, ask: Any, reply: Any, told: str
) -> None:
    project.script("analyst", reply)
    opinion = await ask()
    assert (opinion.category, opinion.missing, opinion.explanation) == (None, "", "")
    assert told in opinion.error


async def test_refused_key_and_used_up_budget_are_raised(project: Project, engine: Engine, ask: Any) -> None:
    project.script("analyst", Fault(401))
    with pytest.raises(ConfigurationError):
        await ask()
    with metered(Meter(limit=0)), pytest.raises(BudgetError):
        await ask_analyst(engine.models, PROMPT, [])
