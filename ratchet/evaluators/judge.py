"""A separate model answers one yes/no question about an output."""

import json
import secrets
from typing import Annotated, NamedTuple

from pydantic import BaseModel, Field

from prompts import render
from ratchet.concurrency import gather
from ratchet.errors import ModelError, ModelReplyError
from ratchet.llm import Models, cut_to
from ratchet.prompting import Message, content_hash
from ratchet.tasks import Expected
from ratchet.tasks.criteria import Judge

VOTE_TEMPERATURE = 0.7
"""Temperature of repeated asks: at 0 they would all say the same."""


class Judgement(BaseModel):
    """The judge's answer; the reason comes first, so that the verdict follows from it."""

    reason: Annotated[str, cut_to(300), Field(max_length=300)]
    verdict: bool


class Ruling(NamedTuple):
    """What the judge decided, and by how many of the answers it gave."""

    verdict: bool
    reason: str
    agreed: int = 1
    answered: int = 1

    @property
    def comment(self) -> str:
        """The reason, after the vote where there was one."""
        return self.reason if self.answered == 1 else f"{self.agreed} of {self.answered}: {self.reason}"

    @property
    def split(self) -> bool:
        """Whether the answers differed."""
        return self.agreed < self.answered


def data_mark(*texts: str) -> str:
    """A delimiter that occurs in none of `texts`. It is derived from them, so that equal requests stay equal and are
    paid for once. Whoever wrote them cannot know it, as no text can hold its own hash."""
    mark = "data-" + content_hash(texts)[:24]
    while any(mark in text for text in texts):
        mark = "data-" + secrets.token_hex(12)
    return mark


async def judge(
    models: Models, criterion: Judge, task: str, text: str, output: str, expected: Expected, *, swapped: bool = False
) -> Ruling:
    """Ask the judge model, once or as often as the criterion's vote needs.

    The agent's text stands in a marked data block. With `swapped` its answer stands before the reference instead of
    after it, which must not change the verdict: `ratchet calibrate` looks whether it does.

    Raises:
        ModelError: the judge gave no answer in the form that was asked for, or its votes are even.
    """
    messages = _request(criterion, task, text, output, expected, swapped)
    if criterion.repeats > 1:
        return await _vote(models, messages, criterion.repeats)
    judgement = await models.fill("judge", messages, Judgement)
    return Ruling(judgement.verdict, judgement.reason)


def _request(criterion: Judge, task: str, text: str, output: str, expected: Expected, swapped: bool) -> list[Message]:
    reference = (
        "" if expected is None else expected if isinstance(expected, str) else json.dumps(expected, ensure_ascii=False)
    )
    mark = data_mark(text, output, reference, criterion.question)
    blocks = [
        render("judge_reference", mark=mark, expected=reference or "(none)"),
        render("judge_answer", mark=mark, output=output),
    ]
    first, second = reversed(blocks) if swapped else blocks
    content = render("judge", mark=mark, task=task, input=text, first=first, second=second, question=criterion.question)
    return [{"role": "user", "content": content}]


async def _vote(models: Models, messages: list[Message], repeats: int) -> Ruling:
    """The majority of up to `repeats` answers; asks no more than it takes to decide, and leaves out failed asks."""
    votes: list[Judgement] = []
    failures: list[ModelError] = []
    asked, lead = 0, 0
    while asked < repeats and lead <= repeats - asked:
        needed = (repeats - asked - lead) // 2 + 1  # fewer further answers cannot settle it
        for answer in await gather(_ask(models, messages, asked + number) for number in range(needed)):
            (failures if isinstance(answer, ModelError) else votes).append(answer)  # type: ignore[arg-type]
        asked += needed
        lead = abs(sum(1 if vote.verdict else -1 for vote in votes))
    if not votes:
        raise failures[-1]
    if not lead:
        raise ModelReplyError(f"judge model: {len(votes)} answers, half of them yes; {len(failures)} gave none")
    return _majority(votes)


async def _ask(models: Models, messages: list[Message], repeat: int) -> Judgement | ModelError:
    try:
        return await models.fill("judge", messages, Judgement, repeat=repeat, temperature=VOTE_TEMPERATURE)
    except ModelError as error:
        return error


def _majority(votes: list[Judgement]) -> Ruling:
    verdict = 2 * sum(vote.verdict for vote in votes) > len(votes)
    agreed = [vote for vote in votes if vote.verdict is verdict]
    return Ruling(verdict, agreed[0].reason, len(agreed), len(votes))
