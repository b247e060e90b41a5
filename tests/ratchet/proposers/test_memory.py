from typing import Any

import pytest

from ratchet.engine import Engine
from ratchet.prompting import ContextStep, Example, TaskPrompt
from ratchet.proposers import Memory, fingerprint_of, propose, recall
from ratchet.proposers.memory import FailedChange, alike
from ratchet.records import Candidate

BASE = TaskPrompt(prompt="Answer the question. Be kind to everyone.")
ADDED = "Answer in at most five short words and never add an explanation."


def change(text: str, **changes: Any) -> TaskPrompt:
    return BASE.model_copy(update={"prompt": text, **changes})


@pytest.mark.parametrize(
    ("one", "two", "expected"),
    [
        (f"{BASE.prompt}\n{ADDED}", f"{BASE.prompt} {ADDED.upper()}", True),
        (f"{BASE.prompt}\n{ADDED}", f"{BASE.prompt}\nAnd {ADDED}", True),
        (f"{BASE.prompt}\n{ADDED}", f"{BASE.prompt}\nSay nothing else.", False),
        (f"{BASE.prompt}\nAt most 5 words.", f"{BASE.prompt}\nAt most 50 words.", False),
        (f"{BASE.prompt}\n{ADDED}", f"Answer the question. {ADDED}", False),
        ("Answer the question.", "Be kind to everyone.", False),
        ("Answer the question.", "Answer the question.", False),
    ],
)
def test_alike_compares_the_words_that_come_and_go(one: str, two: str, expected: bool) -> None:
    assert alike(BASE, change(one), change(two)) is expected
    assert alike(BASE, change(two), change(one)) is expected


@pytest.mark.parametrize(
    "more", [{"context": [ContextStep(source="handbook")]}, {"examples": [Example(input="i", output="o")]}]
)
def test_other_context_or_examples_are_another_idea(more: dict[str, Any]) -> None:
    text = f"{BASE.prompt}\n{ADDED}"
    assert not alike(BASE, change(text), change(text + " ", **more))
    assert alike(BASE, change(text, **more), change(text + " ", **more))


def test_memory_says_what_an_idea_is_like() -> None:
    earlier = change(f"{BASE.prompt}\n{ADDED}")
    known = Candidate(strategy="s", rationale="r", prompt=change("Known."))
    memory = Memory(BASE, {fingerprint_of("shop", known): "why"}, [FailedChange(earlier, "no better")])
    near = Candidate(strategy="s", rationale="r", prompt=change(f"{BASE.prompt}\nPlease: {ADDED}"))
    far = Candidate(strategy="s", rationale="r", prompt=change(f"{BASE.prompt}\nSing."))
    assert memory.objection("shop", known) == "failed before: why"
    assert memory.objection("other", known) is None
    assert memory.objection("shop", near) == "like one that failed before: no better"
    assert memory.objection("shop", far) is None


@pytest.mark.anyio
async def test_similar_wording_that_failed_is_refused(engine: Engine, situation: Any) -> None:
    proposals = engine.store.proposals
    made = await situation()
    base = made.prompt

    class Says:
        def __init__(self, text: str) -> None:
            self.name = "says"
            self.text = text

        async def propose(self, situation: Any) -> list[Candidate]:
            prompt = base.model_copy(update={"prompt": f"{base.prompt}\n{self.text}"})
            return [Candidate(strategy="says", rationale="r", prompt=prompt)]

    def row(number: int, status: str, text: str) -> dict[str, Any]:
        document = {"base_hash": base.hash, "prompt": {"prompt": f"{base.prompt}\n{text}"}}
        return {
            "id": f"P{number}", "cycle_id": "C", "task": "shop", "component": "shop", "strategy": "s",
            "fingerprint": str(number), "status": status, "reason": f"it was {status}", "document": document,
        }  # fmt: skip

    await proposals.add([row(1, "unproven", ADDED), row(2, "refused", "Sing one song for me")])
    memory = await recall(proposals, made)
    proposed = await propose([Says("And " + ADDED), Says("Sing one song for me!")], made, memory)
    assert [refused.reason for refused in proposed.refused] == ["like one that failed before: it was unproven"]
    assert [candidate.prompt.prompt.splitlines()[-1] for candidate in proposed.candidates] == ["Sing one song for me!"]
    assert (await propose([Says("And " + ADDED)], made, await recall(proposals, made, without="P1"))).refused == []


@pytest.mark.anyio
async def test_idea_is_the_same_for_the_same_change_only(situation: Any) -> None:
    prompt = (await situation()).prompt
    one = Candidate(strategy="a", rationale="x", prompt=prompt)
    same = Candidate(strategy="b", rationale="y", prompt=prompt)
    other = Candidate(
        strategy="a", rationale="x", prompt=prompt.model_copy(update={"examples": [Example(input="i", output="o")]})
    )
    assert fingerprint_of("shop", one) == fingerprint_of("shop", same)
    assert len({fingerprint_of("shop", one), fingerprint_of("shop", other), fingerprint_of("other", one)}) == 3
