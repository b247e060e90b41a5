"""Let the optimizer model write new instructions."""

import json

from prompts import render
from ratchet.evaluators.judge import data_mark
from ratchet.proposers.author import ask_for_text, room
from ratchet.proposers.proposer import Situation
from ratchet.records import Candidate, describe_failures


class Rewrite:
    """One candidate: new instructions written from the diagnosis."""

    name = "rewrite"

    async def propose(self, situation: Situation) -> list[Candidate]:
        """The model's version of the instructions."""
        content = rewrite_request(situation)
        text = await ask_for_text(situation.harness.models, content, max_tokens=room(situation.prompt.prompt))
        if not text:
            return []
        changed = situation.prompt.model_copy(update={"prompt": text})
        return [Candidate(strategy=self.name, rationale="rewritten from the diagnosis", prompt=changed)]


def rewrite_request(situation: Situation) -> str:
    """What the model is asked: the present instructions, what failed under them, and why."""
    prompt = situation.prompt
    wrong = describe_failures(list(situation.failures))
    keep = [*prompt.locked, *(f"{{{name}}}" for name in situation.bench.task.variables)]
    return render(
        "rewrite",
        mark=data_mark(wrong, prompt.prompt),
        keep=json.dumps(keep, ensure_ascii=False) if keep else "none",
        rules=situation.bench.rules.as_text() or "none",
        prompt=prompt.prompt,
        diagnosis=situation.diagnosis.explanation,
        failures=wrong,
        feedback=situation.feedback or "nothing",
    )
