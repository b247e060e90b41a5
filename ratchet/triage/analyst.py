"""The analyst model's opinion of the cause, asked for beside the experiments."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from prompts import render
from ratchet.errors import ModelError
from ratchet.evaluators.judge import data_mark
from ratchet.llm import Models, cut_to
from ratchet.prompting import TaskPrompt, describe_prompt
from ratchet.records import FailureBundle, Opinion, describe_failures


class AnalystAnswer(BaseModel):
    """The form of the analyst's answer."""

    category: Literal["prompt", "context", "capability"]
    missing: Annotated[str, cut_to(160), Field(max_length=160)]
    explanation: Annotated[str, cut_to(300), Field(max_length=300)]


async def ask_analyst(models: Models, prompt: TaskPrompt | None, failures: list[FailureBundle]) -> Opinion:
    """The analyst's opinion. A model that does not answer in form gives an opinion with an error and no category."""
    try:
        answer = await ask_for_cause(models, prompt, failures)
    except ModelError as error:
        return Opinion(category=None, error=str(error))
    return Opinion(category=answer.category, missing=answer.missing, explanation=answer.explanation)


async def ask_for_cause(models: Models, prompt: TaskPrompt | None, failures: list[FailureBundle]) -> AnalystAnswer:
    """What the analyst model says.

    Raises:
        ModelError: it did not answer, or not in form.
        ConfigurationError, BudgetError.
    """
    shown, wrong = describe_prompt(prompt) if prompt else "", describe_failures(failures)
    content = render("diagnosis", mark=data_mark(shown, wrong), prompt=shown, failures=wrong)
    return await models.fill("analyst", [{"role": "user", "content": content}], AnalystAnswer)
