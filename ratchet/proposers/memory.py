"""Ideas that failed before, from the same prompt: neither they nor nearly the same wording are paid for again."""

from collections.abc import Sequence
from typing import NamedTuple

from ratchet.prompting import TaskPrompt, content_hash
from ratchet.proposers.proposer import Refused, Situation
from ratchet.proposers.sentences import sentences, words
from ratchet.records import Candidate
from ratchet.store.proposals import Proposals

ALIKE = 0.9
"""Share of common words from which on two wordings are the same idea."""


class FailedChange(NamedTuple):
    """A prompt that was not proven, or that a reviewer rejected, and why."""

    prompt: TaskPrompt
    reason: str


class Memory(NamedTuple):
    """What failed from the prompt `base`: `known` by fingerprint (refused ones too), `failed` with their wording."""

    base: TaskPrompt
    known: dict[str, str]
    failed: Sequence[FailedChange] = ()

    def objection(self, component: str, candidate: Candidate) -> str | None:
        """Why the candidate is not worth a try."""
        fingerprint = fingerprint_of(component, candidate)
        if fingerprint in self.known:
            return f"failed before: {self.known[fingerprint]}"
        for earlier in self.failed:
            if alike(self.base, earlier.prompt, candidate.prompt):
                return f"like one that failed before: {earlier.reason}"
        return None


async def recall(proposals: Proposals, situation: Situation, without: str | None = None) -> Memory:
    """What failed from the prompt in force; the proposal `without` is left out, so that a step that runs again
    finds what it found the first time."""
    base, name = situation.in_force, situation.bench.task.name
    rows = await proposals.known(name, situation.component, base.hash, without)
    return Memory(
        base,
        {row["fingerprint"]: row["reason"] or "" for row in rows},
        [
            FailedChange(TaskPrompt.model_validate(row["document"]["prompt"]), row["reason"] or "")
            for row in rows
            if row["status"] != "refused"
        ],
    )


async def remember(proposals: Proposals, situation: Situation, cycle_id: str, refused: Sequence[Refused]) -> None:
    """Keep what the guards refused with the reason, so that the same idea is not paid for again."""
    await proposals.add(
        [
            {
                "id": f"{cycle_id}-{fingerprint_of(situation.component, item.candidate)[:12]}",
                "cycle_id": cycle_id,
                "task": situation.bench.task.name,
                "component": situation.component,
                "strategy": item.candidate.strategy,
                "fingerprint": fingerprint_of(situation.component, item.candidate),
                "status": "refused",
                "reason": item.reason,
                "document": {"base_hash": situation.prompt.hash, "prompt": item.candidate.prompt.as_json()},
            }
            for item in refused
        ]
    )


def fingerprint_of(component: str, candidate: Candidate) -> str:
    """Fingerprint of what a candidate would make of a component."""
    return content_hash([component, candidate.prompt.as_json()])


def alike(base: TaskPrompt, one: TaskPrompt, two: TaskPrompt) -> bool:
    """Whether two changes of `base` have the same context and examples, add nearly the same words, and take away nearly
    the same ones. A change that adds nothing is like no other."""
    if (one.context, one.examples) != (two.context, two.examples):
        return False
    added, other = _words_beyond(one.prompt, base.prompt), _words_beyond(two.prompt, base.prompt)
    if not added or not other or _overlap(added, other) < ALIKE:
        return False
    return _overlap(_words_beyond(base.prompt, one.prompt), _words_beyond(base.prompt, two.prompt)) >= ALIKE


def _words_beyond(text: str, other: str) -> set[str]:
    """Words of the sentences of `text` that are not in `other`."""
    known = {tuple(words(sentence)) for sentence in sentences(other)}
    return {word for sentence in sentences(text) for word in words(sentence) if tuple(words(sentence)) not in known}


def _overlap(one: set[str], two: set[str]) -> float:
    """Jaccard index."""
    return len(one & two) / len(one | two) if one or two else 1.0
