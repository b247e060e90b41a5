"""The smallest changes of the present instructions: one sentence more, one sentence changed, one sentence less."""

from collections.abc import Sequence
from typing import Annotated

from pydantic import BaseModel, Field

from prompts import render
from ratchet.errors import ModelError, ModelUnavailableError
from ratchet.evaluators.judge import data_mark
from ratchet.prompting import Message
from ratchet.proposers.author import ask_for_text, one_sentence, usable
from ratchet.proposers.proposer import Situation
from ratchet.proposers.reply_text import wording_in
from ratchet.proposers.sentences import Sentence, changeable, replace_sentence, sentences
from ratchet.records import Candidate


class SentenceChange(BaseModel):
    """The form of the optimizer's answer: which sentence, and what stands in its place."""

    number: Annotated[int, Field(ge=1)]
    sentence: Annotated[str, Field(max_length=400)]


class MinimalEdit:
    """Up to three candidates: add, change, drop. The last two only where there are several sentences."""

    name = "minimal_edit"

    async def propose(self, situation: Situation) -> list[Candidate]:
        """The edits that are possible, each on its own."""
        edits = (
            ("adds one sentence", await self._add(situation)),
            ("changes one sentence", await self._change(situation)),
            ("drops one sentence", self._drop(situation)),
        )
        return [
            Candidate(
                strategy=self.name,
                rationale=rationale,
                prompt=situation.prompt.model_copy(update={"prompt": text}),
            )
            for rationale, text in edits
            if text
        ]

    async def _add(self, situation: Situation) -> str:
        text = situation.prompt.prompt
        content = render(
            "minimal_edit",
            mark=data_mark(text),
            prompt=text,
            problems=_problems(situation),
            feedback=situation.feedback or "nothing",
        )
        sentence = one_sentence(await ask_for_text(situation.harness.models, content, max_tokens=80), text)
        return f"{text}\n{sentence}" if sentence else ""

    async def _change(self, situation: Situation) -> str:
        text, open_to_change = situation.prompt.prompt, changeable(situation.prompt)
        if not open_to_change:
            return ""
        try:
            answer = await ask_for_change(situation, open_to_change)
            sentence = usable(wording_in(answer.sentence, text))
        except ModelUnavailableError:
            raise
        except ModelError:
            return ""
        new = one_sentence(sentence, text)
        if not new or answer.number > len(open_to_change):
            return ""
        return replace_sentence(text, open_to_change[answer.number - 1], new)

    def _drop(self, situation: Situation) -> str:
        """Without the last sentence that may go, never the first: what a prompt has grown by last is the least of its
        task. What this cycle has added itself is kept."""
        before = sentences(situation.in_force.prompt)
        droppable = [place for place in changeable(situation.prompt) if place.start and place.text in before]
        return replace_sentence(situation.prompt.prompt, droppable[-1], "") if droppable else ""


async def ask_for_change(situation: Situation, open_to_change: Sequence[Sentence]) -> SentenceChange:
    """The optimizer model's choice among the sentences that may be changed, and the sentence for its place.

    Raises:
        ModelError: it did not answer, or not in form.
        ConfigurationError, BudgetError.
    """
    text = situation.prompt.prompt
    shown = "\n".join(f"{number}. {sentence.text}" for number, sentence in enumerate(open_to_change, start=1))
    content = render(
        "sentence_change",
        mark=data_mark(text, shown),
        prompt=text,
        sentences=shown,
        problems=_problems(situation),
        feedback=situation.feedback or "nothing",
    )
    request: list[Message] = [{"role": "user", "content": content}]
    return await situation.harness.models.fill("optimizer", request, SentenceChange, max_tokens=120)


def _problems(situation: Situation) -> str:
    return "; ".join(situation.failed) or "the score is too low"
