"""Make one candidate of two that each mend something else. No model is involved."""

from ratchet.prompting import ContextStep, Example, TaskPrompt
from ratchet.proposers.proposer import Situation
from ratchet.records import Candidate
from ratchet.text import normal_form


class Merge:
    """One candidate from `situation.parents`; none where the merge is nothing new."""

    name = "merge"

    async def propose(self, situation: Situation) -> list[Candidate]:
        """Context steps, examples and added lines of both parents; where they conflict the better one's stay."""
        if len(situation.parents) != 2:
            return []
        better, other = situation.parents
        prompt = merge_prompts(situation.prompt, better.prompt, other.prompt)
        if prompt in (situation.prompt, better.prompt, other.prompt):
            return []
        rationale = f"both together: {better.rationale}; {other.rationale}"
        parts = dict.fromkeys(part for parent in (better, other) for part in parent.strategy.split(" + "))
        return [Candidate(strategy=" + ".join([self.name, *parts]), rationale=rationale, prompt=prompt)]


def merge_prompts(base: TaskPrompt, better: TaskPrompt, other: TaskPrompt) -> TaskPrompt:
    """What `better` and `other` have made of `base`, in one prompt."""
    return better.model_copy(
        update={
            "prompt": _text(base.prompt, better.prompt, other.prompt),
            "context": _steps(better.context, other.context),
            "examples": _examples(better.examples, other.examples),
        }
    )


def _text(base: str, better: str, other: str) -> str:
    """Added lines of both; where one changed more than that, the better one's text, unless it is the base's."""
    if better == base:
        return other
    mine, theirs = _added_lines(base, better), _added_lines(base, other)
    if mine is None or theirs is None:
        return better
    return "\n".join([better, *(line for line in theirs if line not in mine)])


def _added_lines(base: str, text: str) -> list[str] | None:
    """The lines that `text` adds at the end of `base`; None where it changes more."""
    if text == base:
        return []
    return text.removeprefix(base + "\n").splitlines() if text.startswith(base + "\n") else None


def _steps(better: list[ContextStep], other: list[ContextStep]) -> list[ContextStep]:
    sources = {step.source for step in better}
    return better + [step for step in other if step.source not in sources]


def _examples(better: list[Example], other: list[Example]) -> list[Example]:
    inputs = {normal_form(example.input) for example in better}
    return better + [example for example in other if normal_form(example.input) not in inputs]
