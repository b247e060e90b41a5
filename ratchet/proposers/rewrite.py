"""Let the optimizer model write new instructions."""

import json

from prompts import render
from ratchet.evaluators.judge import data_mark
from ratchet.proposers.author import ask_for_text, room
from ratchet.proposers.proposer import Situation
from ratchet.records import Candidate, Diagnosis, describe_failures

UNEXPLAINED = "nothing that was tried makes the failed runs pass"
"""What the model is told of the cause where triage asks it for instructions to try."""


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
        diagnosis=_cause(situation.diagnosis),
        failures=wrong,
        feedback=situation.feedback or "nothing",
    )


def _cause(diagnosis: Diagnosis) -> str:
    """The cause in words. Where instructions of the model's own were what helped, it is told what it was told then: the
    same request has the same reply."""
    helped = any(experiment.treatment == Rewrite.name and experiment.passed for experiment in diagnosis.evidence)
    return UNEXPLAINED if helped else diagnosis.explanation
