"""Let the optimizer model write new instructions, or add one sentence to the present ones."""

import json
import re

from prompts import render
from ratchet.errors import ModelError, ModelUnavailableError
from ratchet.evaluators.judge import data_mark
from ratchet.llm import Models
from ratchet.proposers.proposer import Situation
from ratchet.records import Candidate
from ratchet.triage.analyst import describe_failures

_FENCE = re.compile(r"^```\w*\n(.*?)\n```$", re.DOTALL)


class Rewrite:
    """One candidate: new instructions written from the diagnosis."""

    name = "rewrite"

    async def propose(self, situation: Situation) -> list[Candidate]:
        """The model's version of the instructions."""
        prompt = situation.prompt
        wrong = describe_failures(list(situation.failures))
        keep = [*prompt.locked, *(f"{{{name}}}" for name in situation.bench.task.variables)]
        content = render(
            "rewrite",
            mark=data_mark(wrong, prompt.prompt),
            keep=json.dumps(keep, ensure_ascii=False) if keep else "none",
            rules=situation.bench.rules.as_text() or "none",
            prompt=prompt.prompt,
            diagnosis=situation.diagnosis.explanation,
            failures=wrong,
            feedback=situation.feedback or "nothing",
        )
        text = await _ask(situation.engine.models, content, max_tokens=_room(prompt.prompt))
        if not text:
            return []
        changed = prompt.model_copy(update={"prompt": text})
        return [Candidate(strategy=self.name, rationale="rewritten from the diagnosis", prompt=changed)]


class MinimalEdit:
    """One candidate: the present instructions with one more sentence."""

    name = "minimal_edit"

    async def propose(self, situation: Situation) -> list[Candidate]:
        """The instructions with the sentence the model suggests."""
        prompt = situation.prompt
        problems = "; ".join(situation.failed) or "the score is too low"
        content = render(
            "minimal_edit",
            mark=data_mark(prompt.prompt),
            prompt=prompt.prompt,
            problems=problems,
            feedback=situation.feedback or "nothing",
        )
        text = await _ask(situation.engine.models, content, max_tokens=80)
        sentence = text.splitlines()[0].strip() if text else ""
        if not sentence:
            return []
        changed = prompt.model_copy(update={"prompt": f"{prompt.prompt}\n{sentence}"})
        return [Candidate(strategy=self.name, rationale="adds one sentence", prompt=changed)]


def _room(text: str) -> int:
    """Tokens a new version may take: twice the present one's words, and some."""
    return min(1500, 120 + 4 * len(text.split()))


async def _ask(models: Models, content: str, max_tokens: int) -> str:
    try:
        reply = await models.reply(
            "optimizer", [{"role": "user", "content": content}], max_tokens=max_tokens, temperature=0.7
        )
    except ModelUnavailableError:
        raise
    except ModelError:
        return ""
    text = reply.text.strip()
    fenced = _FENCE.match(text)
    return (fenced[1] if fenced else text).strip()
