from dataclasses import replace
from typing import Any

import pytest

from ratchet.prompting import ContextStep, Example, TaskPrompt
from ratchet.proposers import Merge
from ratchet.proposers.merge import merge_prompts
from ratchet.records import Candidate

BASE = TaskPrompt(prompt="Answer.", locked=["Answer."])
HANDBOOK, DEEP = ContextStep(source="handbook", top_k=1), ContextStep(source="handbook", top_k=4)
SOLVED = ContextStep(source="solved_cases", top_k=2)
ONE, TWO = Example(input="i", output="1"), Example(input="i", output="2")
OTHER = Example(input="j", output="1")


def change(**changes: Any) -> TaskPrompt:
    return BASE.model_copy(update=changes)


@pytest.mark.parametrize(
    ("better", "other", "expected"),
    [
        (change(context=[HANDBOOK]), change(prompt="Answer.\nBriefly."),
         change(prompt="Answer.\nBriefly.", context=[HANDBOOK])),
        (change(prompt="Answer.\nBriefly.\nKindly."), change(prompt="Answer.\nKindly.\nAt once."),
         change(prompt="Answer.\nBriefly.\nKindly.\nAt once.")),
        (change(prompt="Answer me."), change(prompt="Answer.\nBriefly.", examples=[ONE]),
         change(prompt="Answer me.", examples=[ONE])),
        (change(prompt="Answer.\nBriefly."), change(prompt="Answer me.", context=[SOLVED]),
         change(prompt="Answer.\nBriefly.", context=[SOLVED])),
        (change(context=[SOLVED, HANDBOOK]), change(context=[DEEP]), change(context=[SOLVED, HANDBOOK])),
        (change(context=[DEEP]), change(context=[SOLVED]), change(context=[DEEP, SOLVED])),
        (change(examples=[ONE]), change(examples=[TWO, OTHER]), change(examples=[ONE, OTHER])),
        (change(context=[SOLVED]), change(prompt="Answer me."), change(prompt="Answer me.", context=[SOLVED])),
    ],
)  # fmt: skip
def test_merged_joins_what_does_not_conflict(better: TaskPrompt, other: TaskPrompt, expected: TaskPrompt) -> None:
    assert merge_prompts(BASE, better, other) == expected


async def merge(situation: Any, *prompts: TaskPrompt) -> list[Candidate]:
    parents = [Candidate(strategy=f"s{n}", rationale=f"r{n}", prompt=prompt) for n, prompt in enumerate(prompts)]
    return await Merge().propose(replace(await situation(), base=BASE, parents=parents))


@pytest.mark.anyio
async def test_merge_names_both_parents(situation: Any) -> None:
    (candidate,) = await merge(situation, change(context=[DEEP]), change(examples=[ONE]))
    assert (candidate.strategy, candidate.rationale) == ("merge + s0 + s1", "both together: r0; r1")
    assert candidate.prompt == change(context=[DEEP], examples=[ONE])


@pytest.mark.anyio
@pytest.mark.parametrize(
    "parents",
    [
        (),
        (change(context=[DEEP]),),
        (change(context=[DEEP]), change(context=[HANDBOOK])),
        (BASE, change(context=[DEEP])),
    ],
)
async def test_merge_that_is_nothing_new_is_no_candidate(situation: Any, parents: Any) -> None:
    assert await merge(situation, *parents) == []
