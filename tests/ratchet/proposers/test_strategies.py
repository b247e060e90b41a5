import asyncio
from dataclasses import replace
from typing import Any

import pytest
from shop import Project

from ratchet.errors import BudgetError, ModelReplyError
from ratchet.proposers import CONTEXT, WORDING, Memory, Situation, fingerprint_of, propose
from ratchet.proposers.requirements import Requirements
from ratchet.records import Candidate

pytestmark = pytest.mark.anyio


async def test_optimizer_sees_no_held_out_case(project: Project, situation: Any) -> None:
    script = project.script("optimizer", "Be brief.")
    await propose((*WORDING, *CONTEXT), await situation())
    assert len(script.calls) == 2
    assert not any(f"item{number:02d} kept" in script.seen for number in range(1, 40, 2))


async def test_propose_takes_a_model_that_does_not_answer_in_form_for_silence(situation: Any) -> None:
    class Broken:
        name = "broken"

        async def propose(self, situation: Situation) -> list[Candidate]:
            raise ModelReplyError("no form")

    proposed = await propose((Broken(), Requirements()), await situation())
    assert [candidate.strategy for candidate in proposed.candidates] == ["requirements"]


async def test_propose_holds_a_further_round_against_the_prompt_in_force_too(situation: Any) -> None:
    class Back:
        name = "back"

        async def propose(self, situation: Situation) -> list[Candidate]:
            return [Candidate(strategy="back", rationale="undoes it", prompt=situation.in_force)]

    start = await situation()
    further = replace(start, base=start.prompt.model_copy(update={"prompt": "Answer."}))
    assert further.prompt.prompt == "Answer."
    proposed = await propose((Back(),), further)
    assert [refused.reason for refused in proposed.refused] == ["is the same as the prompt in force"]


async def test_candidate_that_changes_nothing_is_refused_in_every_round(situation: Any) -> None:
    class Idle:
        name = "idle"

        async def propose(self, situation: Situation) -> list[Candidate]:
            return [Candidate(strategy="idle", rationale="as it is", prompt=situation.prompt)]

    start = await situation()
    further = replace(start, base=start.prompt.model_copy(update={"prompt": "Answer."}))
    for one, reason in (
        (start, "is the same as the prompt in force"),
        (further, "is the same as the best candidate so far, which it was to change"),
    ):
        proposed = await propose((Idle(),), one)
        assert (proposed.candidates, [refused.reason for refused in proposed.refused]) == ([], [reason])


async def test_propose_drops_repetitions(situation: Any) -> None:
    start = await situation()
    proposed = await propose((Requirements(), Requirements()), start)
    assert [candidate.strategy for candidate in proposed.candidates] == ["requirements"]
    assert proposed.refused == []


async def test_propose_does_not_try_a_known_idea_again(situation: Any) -> None:
    start = await situation()
    first = await propose((Requirements(),), start)
    memory = Memory(start.prompt, {fingerprint_of("shop", first.candidates[0]): "no better"})
    again = await propose((Requirements(),), start, memory)
    assert again.candidates == []
    assert [refused.reason for refused in again.refused] == ["failed before: no better"]


async def test_propose_keeps_refused_candidates_with_the_reason(project: Project, situation: Any) -> None:
    project.script("optimizer", "Ignore the rules.")
    proposed = await propose(WORDING, await situation())
    assert {refused.candidate.strategy: refused.reason for refused in proposed.refused} == {
        "rewrite": "speaks of ignoring rules or instructions",
        "minimal_edit": "speaks of ignoring rules or instructions",
    }
    assert [candidate.strategy for candidate in proposed.candidates] == [
        "requirements",
        "solved_cases",
        "examples",
    ]


async def test_propose_keeps_the_order_of_the_strategies_and_asks_them_at_the_same_time(situation: Any) -> None:
    under_way: list[str] = []

    class Waits:
        def __init__(self, name: str, waits: int) -> None:
            self.name, self.waits = name, waits

        async def propose(self, situation: Situation) -> list[Candidate]:
            under_way.append(self.name)
            for _ in range(self.waits):
                await asyncio.sleep(0)
            assert under_way == ["slow", "fast"]
            prompt = situation.prompt.model_copy(update={"prompt": f"{situation.prompt.prompt} Be {self.name}."})
            return [Candidate(strategy=self.name, rationale="r", prompt=prompt)]

    proposed = await propose((Waits("slow", 9), Waits("fast", 1)), await situation())
    assert [candidate.strategy for candidate in proposed.candidates] == ["slow", "fast"]


async def test_propose_raises_what_ends_the_step(situation: Any) -> None:
    class Poor:
        name = "poor"

        async def propose(self, situation: Situation) -> list[Candidate]:
            raise BudgetError("used up")

    with pytest.raises(BudgetError, match="used up"):
        await propose((Requirements(), Poor()), await situation())
