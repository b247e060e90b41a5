"""A separate model answers one yes/no question about an output."""

import json
import secrets
from typing import Annotated

from pydantic import BaseModel, Field

from prompts import render
from ratchet.llm import Models
from ratchet.prompting import content_hash
from ratchet.tasks import Expected
from ratchet.tasks.criteria import Judge


class Judgement(BaseModel):
    """The judge's answer; the reason comes first, so that the verdict follows from it."""

    reason: Annotated[str, Field(max_length=300)]
    verdict: bool


def data_mark(*texts: str) -> str:
    """A delimiter that occurs in none of `texts`: derived from them, so that equal requests stay equal and are paid for
    once, and unknown to whoever wrote them, as no text can hold its own hash."""
    mark = "data-" + content_hash(texts)[:24]
    while any(mark in text for text in texts):
        mark = "data-" + secrets.token_hex(12)
    return mark


async def judge(models: Models, criterion: Judge, task: str, text: str, output: str, expected: Expected) -> Judgement:
    """Ask the judge model; the agent's text stands in a marked data block.

    Raises:
        ModelError: the judge did not answer in the form that was asked for.
    """
    reference = "" if expected is None else expected if isinstance(expected, str) else json.dumps(expected)
    content = render(
        "judge",
        mark=data_mark(text, output, reference, criterion.question),
        task=task,
        input=text,
        expected=reference or "(none)",
        output=output,
        question=criterion.question,
    )
    return await models.fill("judge", [{"role": "user", "content": content}], Judgement)
